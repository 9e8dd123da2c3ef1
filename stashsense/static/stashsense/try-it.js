// The try-it part of the home page: one picture in, boxes and names out.
// Everything that came from elsewhere is put into the page as text, never as markup.

const SVG = "http://www.w3.org/2000/svg";
const form = document.getElementById("identify");
const dropZone = document.getElementById("drop-zone");
const fileInput = document.getElementById("picture-file");
const message = document.getElementById("message");
const result = document.getElementById("result");
const image = document.getElementById("picture-image");
const boxes = document.getElementById("boxes");
const faceList = document.getElementById("faces");

// Answers of a picture that was replaced meanwhile are dropped.
let current = null;

fileInput.addEventListener("change", () => {
  if (fileInput.files.length) identify(fileInput.files[0]);
  // The same file chosen again is a change again.
  fileInput.value = "";
});
dropZone.addEventListener("keydown", (event) => {
  if (event.key === "Enter" || event.key === " ") {
    event.preventDefault();
    fileInput.click();
  }
});
for (const type of ["dragover", "dragleave", "drop"]) {
  document.addEventListener(type, (event) => {
    event.preventDefault();
    dropZone.classList.toggle("is-over", type === "dragover");
  });
}
document.addEventListener("drop", (event) => identifyFirst(event.dataTransfer.files));
document.addEventListener("paste", (event) => identifyFirst(event.clipboardData.files));

function identifyFirst(files) {
  if (files.length) identify(files[0]);
  else say("There is no picture in that: drop, paste or choose a picture file.", true);
}

async function identify(file) {
  current?.abort();
  const request = (current = new AbortController());
  show(file);
  say(`Looking at ${file.name || "the picture"}…`);
  const body = new FormData();
  body.append("image", file, file.name || "pasted");
  try {
    const started = performance.now();
    const response = await fetch(form.action, {
      method: "POST",
      body,
      signal: request.signal,
      headers: { "X-CSRFToken": form.elements.csrfmiddlewaretoken.value },
    });
    const answer = await answerOf(response);
    const seconds = (performance.now() - started) / 1000;
    if (current === request) draw(answer, seconds);
  } catch (error) {
    if (error.name === "AbortError") return;
    result.hidden = true;
    say(error.message, true);
  }
}

// Returns the answer, or throws an Error whose message is for a person.
async function answerOf(response) {
  const isJson = response.headers.get("Content-Type")?.includes("json");
  const answer = isJson ? await response.json() : {};
  if (response.ok) return answer;
  const detail = answer.detail ?? `The service answered ${response.status}.`;
  const sentence = Array.isArray(detail) ? detail.map((part) => part.msg).join(" ") : detail;
  throw new Error(
    response.status === 401 || response.status === 403 ? `${sentence} Sign in again.` : sentence,
  );
}

function show(file) {
  if (image.src) URL.revokeObjectURL(image.src);
  boxes.replaceChildren();
  faceList.replaceChildren();
  image.src = URL.createObjectURL(file);
  result.hidden = false;
}

function draw(answer, seconds) {
  boxes.setAttribute("viewBox", `0 0 ${answer.image_width} ${answer.image_height}`);
  const faces = answer.faces.map((face) => ({ ...face, best: face.matches[0] }));
  faces.forEach((face, index) => {
    const box = drawBox(face, answer.image_width);
    const item = describe(face, index);
    for (const [on, off] of [["mouseenter", "mouseleave"], ["focus", "blur"]]) {
      item.addEventListener(on, () => box.classList.add("is-current"));
      item.addEventListener(off, () => box.classList.remove("is-current"));
    }
    boxes.append(box);
    faceList.append(item);
  });
  const known = faces.filter((face) => face.best).length;
  const count = faces.length === 1 ? "1 face" : `${faces.length || "No"} faces`;
  const named = faces.length ? `, ${known} recognised` : "";
  say(`${count}${named} in ${seconds.toFixed(2)} s with release ${answer.database_version}.`);
}

function drawBox(face, imageWidth) {
  const { x, y, width, height } = face.box;
  const group = document.createElementNS(SVG, "g");
  group.classList.toggle("is-known", Boolean(face.best));
  const rect = document.createElementNS(SVG, "rect");
  for (const [name, value] of Object.entries({ x, y, width, height })) rect.setAttribute(name, value);
  const text = document.createElementNS(SVG, "text");
  // Sizes are in pixels of the picture, which is shown about 800 wide.
  const size = Math.max(imageWidth / 45, 9);
  text.setAttribute("x", x);
  text.setAttribute("y", y > size * 1.3 ? y - size * 0.35 : y + height + size);
  text.setAttribute("font-size", size);
  text.setAttribute("stroke-width", size / 5);
  text.textContent = face.best ? face.best.name : "Unknown";
  group.append(rect, text);
  return group;
}

function describe(face, index) {
  const item = element("li", face.best ? "is-known" : "");
  item.tabIndex = 0;
  item.append(element("div", "name", face.best ? face.best.name : `Unknown face ${index + 1}`));
  if (!face.best) {
    item.append(element("div", "figures", `Nobody near enough. ${detectionOf(face)}`));
    return item;
  }
  const bar = element("div", "bar");
  const filled = element("span");
  filled.style.width = `${100 * face.best.confidence}%`;
  bar.append(filled);
  item.append(bar, element("div", "figures", figuresOf(face.best)), element("div", "figures", detectionOf(face)));
  if (face.matches.length > 1) {
    const others = element("ul", "others");
    for (const match of face.matches.slice(1)) {
      others.append(element("li", "", `${match.name}: ${figuresOf(match)}`));
    }
    item.append(others);
  }
  return item;
}

function figuresOf(match) {
  return `confidence ${percent(match.confidence)}, distance ${match.distance.toFixed(3)}`;
}

function detectionOf(face) {
  return `Face detected with ${percent(face.box.confidence)}.`;
}

function percent(share) {
  return `${Math.round(100 * share)} %`;
}

function element(tag, className = "", text = "") {
  const made = document.createElement(tag);
  if (className) made.className = className;
  made.textContent = text;
  return made;
}

function say(sentence, isError = false) {
  message.textContent = sentence;
  message.classList.toggle("is-error", isError);
}
