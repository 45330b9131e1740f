// Where the page's connections lead: through a test's relay, and without TLS to this machine.
{
  const { asked } = townhallTest;

  if (asked.relayed) {
    const LINE = /^(a=candidate:\S+ 1 udp \d+ )(\S+) (\d+)( typ host.*)$/gim;
    const original = RTCPeerConnection.prototype.setRemoteDescription;

    RTCPeerConnection.prototype.setRemoteDescription = async function (description) {
      let sdp = description.sdp;
      for (const [line, before, host, port, after] of sdp.matchAll(LINE)) {
        const [newHost, newPort] = await globalThis.townhallPlace(host, Number(port));
        sdp = sdp.replace(line, `${before}${newHost} ${newPort}${after}`);
      }
      return original.call(this, { type: description.type, sdp });
    };
  }

  if (asked.plainLoopback) {
    const Original = globalThis.WebSocket;
    globalThis.WebSocket = class WebSocket extends Original {
      constructor(url, ...protocols) {
        super(String(url).replace(/^wss:(\/\/(?:localhost|127\.\d+\.\d+\.\d+)(?::\d+)?\/)/, "ws:$1"), ...protocols);
      }
    };
  }
}
