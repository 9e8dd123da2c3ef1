// Keeps the page of an update run current while the run goes on.
//
// The server renders the part that changes; here it only takes the place of the old one.

const POLL_MILLISECONDS = 1000;

const page = document.getElementById("run-page");

function progress() {
  return document.getElementById("run-progress");
}

function showForms() {
  const {cancellable, resumable} = progress().dataset;
  for (const [id, isShown] of [["cancel-form", cancellable], ["resume-form", resumable]]) {
    const form = document.getElementById(id);
    if (form) form.hidden = isShown !== "yes";
  }
}

async function refresh() {
  const response = await fetch(page.dataset.progressUrl, {credentials: "same-origin"});
  if (!response.ok || response.redirected) return false;
  const fetched = new DOMParser().parseFromString(await response.text(), "text/html");
  progress().replaceWith(document.adoptNode(fetched.getElementById("run-progress")));
  showForms();
  return true;
}

async function follow() {
  while (progress().dataset.inProgress === "yes") {
    await new Promise((resolve) => setTimeout(resolve, POLL_MILLISECONDS));
    try {
      // Signed out meanwhile: a reload leads to the sign-in page.
      if (!(await refresh())) return;
    } catch (error) {
      // The service restarts, perhaps; the next question may be answered.
      console.info("The run could not be asked for:", error.message);
    }
  }
  // The rest of the page tells of the end as well.
  location.reload();
}

if (page && progress().dataset.inProgress === "yes") follow();
