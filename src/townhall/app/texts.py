"""What callers hear, in each language of the catalogue; a line in any other is spoken to in English."""

from dataclasses import dataclass

from townhall.app.lines import Line, Role

ENGLISH = "en-US"


@dataclass(frozen=True, slots=True)
class Texts:
    welcome: str
    menu: str
    wrong_key: str
    ask_pin: str
    wrong_pin: str
    wait_minutes: str
    """Too many wrong PINs; `{minutes}` is how long."""
    wait_long: str
    moderator: str
    goodbye: str
    give_up: str
    thanks: str
    not_joined: str
    no_such_line: str
    full: str
    """The server has no room for the caller."""


CATALOGUE = {
    "en": Texts(
        welcome="Welcome to the conference.",
        menu="To listen, press 1. To speak, press 2. To moderate, press 3.",
        wrong_key="Sorry, that key is not in the menu.",
        ask_pin="Please enter your PIN, then press the hash key.",
        wrong_pin="Sorry, that PIN is not right.",
        wait_minutes="There were too many wrong PINs. Please try again in {minutes} minutes. Goodbye.",
        wait_long="There were too many wrong PINs. Please try again later, or ask your host. Goodbye.",
        moderator="You are the moderator.",
        goodbye="We did not hear from you. Goodbye.",
        give_up="That did not work. Please check, and call again. Goodbye.",
        thanks="Thank you for being with us. Goodbye.",
        not_joined="Sorry, you could not join. The conference may be full. Please try again later. Goodbye.",
        no_such_line="Sorry, there is no conference at this number. Goodbye.",
        full="Sorry, the conference is full. Please call again later. Goodbye.",
    ),
    "de": Texts(
        welcome="Willkommen zur Konferenz.",
        menu="Zum Zuhören drücken Sie die 1. Zum Mitreden die 2. Zum Moderieren die 3.",
        wrong_key="Diese Taste ist leider nicht belegt.",
        ask_pin="Bitte geben Sie Ihre PIN ein und dann die Rautetaste.",
        wrong_pin="Diese PIN stimmt leider nicht.",
        wait_minutes="Zu viele falsche PINs. Rufen Sie in {minutes} Minuten wieder an. Auf Wiederhören.",
        wait_long="Zu viele falsche PINs. Bitte rufen Sie später wieder an oder fragen Sie "
        "den Veranstalter. Auf Wiederhören.",
        moderator="Sie moderieren.",
        goodbye="Wir haben nichts von Ihnen gehört. Auf Wiederhören.",
        give_up="Das hat nicht geklappt. Bitte prüfen Sie es und rufen Sie wieder an. Auf Wiederhören.",
        thanks="Danke, dass Sie dabei waren. Auf Wiederhören.",
        not_joined="Sie konnten leider nicht teilnehmen, vielleicht ist die Konferenz voll. "
        "Bitte versuchen Sie es später wieder. Auf Wiederhören.",
        no_such_line="Unter dieser Nummer gibt es leider keine Konferenz. Auf Wiederhören.",
        full="Die Konferenz ist leider voll. Bitte rufen Sie später wieder an. Auf Wiederhören.",
    ),
    "fr": Texts(
        welcome="Bienvenue à la conférence.",
        menu="Pour écouter, tapez 1. Pour parler, tapez 2. Pour animer, tapez 3.",
        wrong_key="Désolé, cette touche n'est pas au menu.",
        ask_pin="Entrez votre code, puis appuyez sur dièse.",
        wrong_pin="Désolé, ce code n'est pas le bon.",
        wait_minutes="Il y a eu trop de codes erronés. Réessayez dans {minutes} minutes. Au revoir.",
        wait_long="Il y a eu trop de codes erronés. Réessayez plus tard ou demandez "
        "à l'organisateur. Au revoir.",
        moderator="Vous animez la conférence.",
        goodbye="Nous ne vous avons pas entendu. Au revoir.",
        give_up="Cela n'a pas marché. Vérifiez, puis rappelez-nous. Au revoir.",
        thanks="Merci d'avoir été parmi nous. Au revoir.",
        not_joined="Désolé, vous n'avez pas pu entrer. La conférence est peut-être complète. "
        "Réessayez plus tard. Au revoir.",
        no_such_line="Désolé, il n'y a pas de conférence à ce numéro. Au revoir.",
        full="Désolé, la conférence est complète. Rappelez plus tard. Au revoir.",
    ),
    "es": Texts(
        welcome="Le damos la bienvenida a la conferencia.",
        menu="Para escuchar, pulse 1. Para hablar, pulse 2. Para moderar, pulse 3.",
        wrong_key="Lo sentimos, esa tecla no está en el menú.",
        ask_pin="Marque su clave y después la tecla almohadilla.",
        wrong_pin="Lo sentimos, esa clave no es correcta.",
        wait_minutes="Hubo demasiadas claves erróneas. Inténtelo de nuevo en {minutes} minutos. Adiós.",
        wait_long="Hubo demasiadas claves erróneas. Inténtelo más tarde o pregunte al organizador. Adiós.",
        moderator="Usted modera la conferencia.",
        goodbye="No le hemos oído. Adiós.",
        give_up="No ha funcionado. Compruébelo y vuelva a llamar. Adiós.",
        thanks="Gracias por acompañarnos. Adiós.",
        not_joined="Lo sentimos, no pudo entrar. Quizá la conferencia esté completa. "
        "Inténtelo más tarde. Adiós.",
        no_such_line="Lo sentimos, no hay ninguna conferencia en este número. Adiós.",
        full="Lo sentimos, la conferencia está completa. Llame más tarde. Adiós.",
    ),
}


def texts_for(language: str) -> tuple[Texts, str]:
    """The texts for a line's language and the language tag they are to be spoken in."""
    texts = CATALOGUE.get(language.partition("-")[0].lower())
    return (texts, language) if texts else (CATALOGUE["en"], ENGLISH)


def spoken_texts(line: Line) -> list[tuple[str, str]]:
    """(text, language) of what this line is likely to say, most urgent first: worth synthesising ahead of
    calls.
    """
    texts, language = texts_for(line.language)
    first = (line.welcome, line.language) if line.welcome else (texts.welcome, language)
    roles: list[Role] = ["speaker", "moderator"]
    pins = [texts.ask_pin, texts.wrong_pin] if any(line.pin(role) for role in roles) else []
    full = [texts.full] if line.when_full == "spoken" else []
    rest = [texts.menu, texts.moderator, *pins, texts.thanks, texts.wrong_key, texts.goodbye, *full]
    return [first, *((text, language) for text in rest)]
