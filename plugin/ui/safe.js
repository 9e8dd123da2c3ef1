// Addresses come from stash-boxes and libraries: anybody may have written them.

/** The address if a browser may follow it (http, https), else null. */
export function webAddress(text) {
  return addressOf(text, ["http:", "https:"]);
}

/** The address if a browser may show it as a picture, else null. */
export function pictureAddress(text) {
  if (typeof text === "string" && /^data:image\/(jpeg|png|webp|gif);base64,/.test(text)) {
    return text;
  }
  return addressOf(text, ["http:", "https:"]);
}

function addressOf(text, protocols) {
  if (typeof text !== "string" || text.trim() === "") return null;
  try {
    // Without a base: an address of Stash's own, such as /logout, is nobody's to name.
    const address = new URL(text);
    return protocols.includes(address.protocol) ? address.href : null;
  } catch {
    return null;
  }
}
