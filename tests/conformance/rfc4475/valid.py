"""Section 3.1.1: messages that look wrong and are right."""

from tests.conformance.rfc4475.building import CONTACT, EMPTY, SDP, TortureMessage, common, content, lines

WSINV = TortureMessage(
    "wsinv",
    "3.1.1.1",
    "spaces, folds, compact names, escapes, leading zeros and lists wherever the grammar allows them",
    lines(
        "INVITE sip:hall@main.example.com;oddity SIP/2.0",
        "TO :",
        " sip:hall@main.example.com ;   tag    = 77hall-tag",
        'from   : "Anna \\\\\\"B\\""        <sip:anna@example.com>',
        "  ;",
        "  tag = anna1",
        "MaX-fOrWaRdS: 0042",
        "i: wsinv.call@192.0.2.20",
        "cseq: 000017",
        "  INVITE",
        "Via  : SIP  /   2.0",
        " /UDP",
        "    192.0.2.31;branch=oldstyle31",
        "s :",
        "BrandNewHeader:   first half",
        " \t second half of it",
        "NobodyKnowsThisEither: ,;;,=;",
        "v:  SIP  / 2.0  / TCP     relay.example.com   ;",
        "  branch  =   z9hG4bKwsinv2  , SIP  /    2.0   /",
        "  UDP  192.0.2.33   ; branch=",
        " z9hG4bKwsinv3",
        "Route:",
        " <sip:gate.example.com;lr;unheard=of;odd-flag>",
        f"l: {len(SDP)}",
        'm: "Nested \\"quotes\\"" <sip:anna@192.0.2.20> ; fresh =',
        "  thing ;",
        "  bare ; q = 0.25",
        "C: application/sdp",
        body=SDP,
    ),
)

_METHOD = "Own.Meth0d-%*_+`'~!987"
INTMETH = TortureMessage(
    "intmeth",
    "3.1.1.2",
    "every character that the grammar allows in methods, users, passwords, names, tags and Call-IDs",
    lines(
        f"{_METHOD} sip:2_~!.*'(odd)&=+$,;?/user:p&=+$,a-_.s!~*'(s)@example.com SIP/2.0",
        f"Via: SIP/2.0/UDP phone.example.com;branch=z9hG4bK-.!%*_+`'~{_METHOD}",
        'To: "bell \\\a nul \\\0 rubout \\\x7f" <sip:2_~!.*\'(odd)&=+$,;?/user@example.com>',
        "From: a1.~` b-2'+_ c%*!3 <sip:anna@example.com>;p!%*_+`'~.-=\"größer\";tag=-.!%*_+`'~t",
        "Max-Forwards: 255",
        'Call-ID: odd-.!%*_+`\'~()<>:\\/"[]?{}@~odd()<>:\\/"[]?{}',
        f"CSeq: 6006 {_METHOD}",
        "odd-.!%*_+`'~Header: \ufeff会議 ½",
        EMPTY,
    ),
)

ESC01 = TortureMessage(
    "esc01",
    "3.1.1.3",
    "escapes in users and parameters, a user part that looks like a whole URI",
    lines(
        "INVITE sip:sips%3Ahall%40example.com@gate.example.net SIP/2.0",
        *common("esc01", "INVITE", without=("From", "To")),
        "To: sip:%68%61%6Cl@example.com",
        "From: <sip:two%20words%20here@example.net>;tag=esc01-from",
        "Contact: <sip:ann%61@phone.example.net;%6Cine=%31%25%32%30>",
        *content(SDP),
        body=SDP,
    ),
)

ESCNULL = TortureMessage(
    "escnull",
    "3.1.1.4",
    "escaped NULs do not end a user part",
    lines(
        "REGISTER sip:example.com SIP/2.0",
        *common("escnull", "REGISTER", without=("From", "To")),
        "From: <sip:before%00after@example.com>;tag=escnull-from",
        "To: <sip:before%00after@example.com>",
        "Contact: <sip:%00@phone1.example.com>",
        "Contact: <sip:%00%00%00@phone2.example.com>",
        EMPTY,
    ),
)

ESC02 = TortureMessage(
    "esc02",
    "3.1.1.5",
    "percent signs where nothing is escaped: in methods, header names, display names and branches",
    lines(
        "OP%54IONS sip:hall%31@example.com SIP/2.0",
        'To: "100%41 <-- no escape" <sip:hall@example.com>',
        "From: <sip:anna@example.com>;tag=%66%6F",
        "Max-Forwards: 70",
        "Call-ID: esc02.%73%63@192.0.2.20",
        "CSeq: 12 OP%54IONS",
        "Via: SIP/2.0/UDP 192.0.2.20;branch=z9hG4bK%41esc%zz",
        "Contact: <sip:first@phone1.example.com>",
        "Con%74act: <sip:second@phone2.example.com>",
        "Contact: <sip:third@phone3.example.com>",
        EMPTY,
    ),
)

LWSDISP = TortureMessage(
    "lwsdisp",
    "3.1.1.6",
    "no space between a display name and its URI",
    lines(
        "OPTIONS sip:hall@example.com SIP/2.0",
        *common("lwsdisp", "OPTIONS", without=("From",)),
        "From: anna<sip:anna@example.com>;tag=lwsdisp-from",
        EMPTY,
    ),
)

LONGREQ = TortureMessage(
    "longreq",
    "3.1.1.7",
    "long values everywhere and 34 Vias",
    lines(
        "INVITE sip:hall@example.com SIP/2.0",
        f'To: "The hall with a l{"o" * 200}ng name" <sip:hall{"l" * 180}@example.com:6060;'
        f"parameter{'n' * 150}=value{'v' * 160}>",
        f"F: sip:anna{'a' * 220}@example.com;tag=lon{'g' * 170};extra{'x' * 120}=y{'y' * 110};bare{'b' * 90}",
        f"Call-ID: longreq.call{'l' * 240}@192.0.2.20",
        "CSeq: 2147 INVITE",
        f"Unheard-Of-{'h' * 130}: unheard-of-{'v' * 190}; and {'=' * 60} more",
        "Max-Forwards: 70",
        *(f"Via: SIP/2.0/TCP relay{n}.example.com;branch=z9hG4bKlongreq{n}" for n in range(40, 7, -1)),
        f"V: SIP/2.0/TCP phone.example.com;received=192.0.2.20;branch=z9hG4bKlongreq{'q' * 210}",
        f"Contact: <sip:anna{'c' * 200}@phone.example.com>",
        f"l: {len(SDP)}",
        "c: application/sdp",
        body=SDP,
    ),
)

DBLREQ = TortureMessage(
    "dblreq",
    "3.1.1.8",
    "bytes behind the end of a request in the same datagram: another request",
    lines("REGISTER sip:example.com SIP/2.0", *common("dblreq1", "REGISTER"), CONTACT, EMPTY)
    + lines(
        "INVITE sip:hall@example.com SIP/2.0",
        *common("dblreq2", "INVITE"),
        CONTACT,
        *content(SDP),
        body=SDP,
    ),
)

SEMIURI = TortureMessage(
    "semiuri",
    "3.1.1.9",
    "a semicolon in the user part, which starts no parameter",
    lines(
        "OPTIONS sip:hall;side=left%40example.net@example.com SIP/2.0",
        *common("semiuri", "OPTIONS"),
        "Accept: application/sdp, application/pkcs7-mime,",
        "        multipart/mixed, message/sip, text/plain",
        EMPTY,
    ),
)

TRANSPORTS = TortureMessage(
    "transports",
    "3.1.1.10",
    "Vias of all transports, one of them unheard of",
    lines(
        "OPTIONS sip:hall@example.com SIP/2.0",
        *(
            f"Via: SIP/2.0/{transport} relay{n}.example.com;branch=z9hG4bKtransports{n}"
            for n, transport in enumerate(("UDP", "SCTP", "TLS", "CARRIERPIGEON", "TCP"))
        ),
        *common("transports", "OPTIONS", without=("Via",)),
        EMPTY,
    ),
)

MPART01_SIGNATURE = bytes.fromhex(
    "3082 0031 00ff fe80 0d0a 0d0a 2d2d 6d70 6172 740d 0a2d 2d6e 6f74 2d74 6865"
    "2d65 6e64 2d2d 0d0a c328 a0a1 0000 1b7f 00"
)
_MPART01_BODY = (
    b"Not for the ear of whoever has no use for it.\r\n"
    b"--part-of-ours\r\n"
    b"Content-Type: text/plain\r\n"
    b"Content-Transfer-Encoding: binary\r\n"
    b"\r\n"
    b"Good evening\r\n"
    b"--part-of-ours\r\n"
    b"Content-Type: application/octet-stream\r\n"
    b"Content-Transfer-Encoding: binary\r\n"
    b"\r\n" + MPART01_SIGNATURE + b"\r\n--part-of-ours--\r\n"
)
MPART01 = TortureMessage(
    "mpart01",
    "3.1.1.11",
    "a multipart body with a binary part that holds NULs, empty lines and what looks like boundaries",
    lines(
        "MESSAGE sip:hall@example.com SIP/2.0",
        *common("mpart01", "MESSAGE"),
        "MIME-Version: 1.0",
        *content(_MPART01_BODY, "multipart/mixed;boundary=part-of-ours"),
        body=_MPART01_BODY,
    ),
)

UNREASON = TortureMessage(
    "unreason",
    "3.1.1.12",
    "a reason phrase beyond ASCII, with digits and signs",
    lines(
        "SIP/2.0 200 2 × 100 = двести, 好的; nichts für ungut!",
        *common("unreason", "INVITE", without=("Max-Forwards", "To")),
        "To: <sip:hall@example.com>;tag=unreason-to",
        "Contact: <sip:hall@192.0.2.40>",
        *content(SDP),
        body=SDP,
    ),
)

NOREASON = TortureMessage(
    "noreason",
    "3.1.1.13",
    "an empty reason phrase",
    lines("SIP/2.0 100 ", *common("noreason", "INVITE", without=("Max-Forwards",)), EMPTY),
)

VALID = (
    *(WSINV, INTMETH, ESC01, ESCNULL, ESC02, LWSDISP, LONGREQ),
    *(DBLREQ, SEMIURI, TRANSPORTS, MPART01, UNREASON, NOREASON),
)
