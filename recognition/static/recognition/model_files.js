// Keeps the list of model files current while something is downloaded.
//
// The server renders the part that changes; here it only takes the place of the old one.

const POLL_MILLISECONDS = 1000;

const page = document.getElementById("model-files");

function progress() {
  return document.getElementById("model-progress");
}

async function refresh() {
  const response = await fetch(page.dataset.progressUrl, {credentials: "same-origin"});
  if (!response.ok || response.redirected) return false;
  const fetched = new DOMParser().parseFromString(await response.text(), "text/html");
  progress().replaceWith(document.adoptNode(fetched.getElementById("model-progress")));
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
      console.info("The downloads could not be asked for:", error.message);
    }
  }
  // The list below tells of the end as well.
  location.reload();
}

if (page && progress().dataset.inProgress === "yes") follow();
