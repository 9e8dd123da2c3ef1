"""The page of a recommendation, as tests find its parts."""

PAGE = "/plugins/stash-sense/recommendations"
# What a page may ask for by itself.
READS = {
    "health", "kept_crop", "kept_people", "rec_analysis_runs", "rec_counts", "rec_get",
    "rec_list", "stashbox_performer",
}  # fmt: skip


# Files of the tests lie wherever they may; React does not look at what it wrote.
_NAME_FOLDER = """
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
  if (node.nodeValue.includes(arguments[0])) {
    node.nodeValue = node.nodeValue.replaceAll(arguments[0], "/media");
  }
}
"""


def picture(page, tidying, name):
    page.run(_NAME_FOLDER, str(tidying.library.folder))
    page.take_picture(name)


def open_page(page, found):
    page.open(f"{PAGE}/{found['id'] if isinstance(found, dict) else found}")
    page.find(".stash-sense-standing")
    return page


def confirm(page, label):
    """Look at the plan, and press the button of the dialog."""
    page.find(".stash-sense-dialog .stash-sense-plan")
    page.press(label, within=".stash-sense-dialog .modal-footer")


def wait_for_outcome(page, text="Done."):
    page.wait_for_text(text, within=".alert-success")


def plan_text(page):
    return page.text_of(".stash-sense-dialog .stash-sense-plan")


def choose(page, label, value):
    field = page.find_labelled(label)
    field.find_element("css selector", f"option[value='{value}']").click()
