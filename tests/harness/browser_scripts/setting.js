// What the other scripts of a tested page share; it runs before the page's own. `townhallAsked` comes from Python.
globalThis.townhallTest = {
  asked: globalThis.townhallAsked,
  /** Every RTCPeerConnection that the page has made, the newest last. */
  peers: [],

  /** The statistics of the newest connection, of one kind: the first entry, of pairs the one in use. */
  async stats(kind) {
    const peer = townhallTest.peers.at(-1);
    if (!peer) return {};
    const found = [...(await peer.getStats()).values()].filter((one) => one.type === kind);
    return found.find((one) => one.nominated) ?? found[0] ?? {};
  },

  async codec() {
    const peer = townhallTest.peers.at(-1);
    if (!peer) return "";
    const report = await peer.getStats();
    const inbound = [...report.values()].find((one) => one.type === "inbound-rtp");
    return report.get(inbound?.codecId)?.mimeType ?? "";
  },
};
