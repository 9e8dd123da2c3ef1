// What the area says; see ../../texts.js.
export const recommendations = {};
