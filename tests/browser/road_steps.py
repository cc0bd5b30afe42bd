"""The road step by step, as a newcomer's clicks and keys; each step waits for words on the page."""

from __future__ import annotations

import re
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from playwright.sync_api import Error

from tests.browser.conftest import become, settle

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

ENGINEER, OWNER = "Demo Dataset Engineer", "Demo Release Owner"
LEAD, CLINICIAN, BIAS = "Demo Review Lead", "Demo Clinician One", "Demo Bias Reviewer"
FAMILIES = (
    "Professional therapeutic",
    "Priority",
    "Chain-of-thought reasoning",
    "Edge and crisis cases",
    "Voice and persona",
)
# A job reads every source and loads the detectors; two cores may be shared.
JOB_SECONDS = 240
_ENDS = "is done|failed|was cancelled|was interrupted"
TALLEST = 4000


@dataclass
class Walk:
    """One walk of the road: the page, and where its pictures go."""

    page: Page
    pictures: Path
    taken: int = 0
    seconds: dict[str, float] = field(default_factory=dict)
    since: float = field(default_factory=time.monotonic)

    def picture(self, name: str) -> None:
        """Keep the whole page as it looks now, numbered, and how long the step took."""
        self.seconds[name] = time.monotonic() - self.since
        settle(self.page)
        height = self.page.evaluate(
            "() => document.querySelector('[data-testid=\"stMain\"]').scrollHeight"
        )
        self.page.set_viewport_size({"width": 1280, "height": min(max(900, height), TALLEST)})
        settle(self.page)
        self.taken += 1
        self.page.screenshot(path=self.pictures / f"{self.taken:02d}-{name}.png")
        self.page.set_viewport_size({"width": 1280, "height": 900})
        settle(self.page)
        self.since = time.monotonic()

    def open(self, title: str, *, heading: str = "") -> None:
        """Follow the sidebar to the page called `title`; its heading may say it in full."""
        navigation = self.page.get_by_test_id("stSidebarNav")
        navigation.get_by_role("link", name=title, exact=True).click()
        words = heading or title
        self.page.get_by_role("heading", level=1, name=words, exact=True).wait_for()
        settle(self.page)

    def become(self, name: str) -> None:
        """Choose who to be in the sidebar."""
        become(self.page, name)

    def press(self, name: str, *, within: Locator | None = None) -> None:
        """Click the button called `name`, as a hand does."""
        place = within if within is not None else self.page
        place.get_by_role("button", name=name, exact=True).click(delay=30)

    def read(self, words: str | re.Pattern[str], *, seconds: float = 30) -> None:
        """Wait until `words` stand on the page."""
        found = self.page.get_by_text(words).locator("visible=true").first
        found.wait_for(timeout=seconds * 1000)

    def read_job(self, title: str) -> None:
        """Wait until the job's panel says that it is done; any other end fails at once."""
        # An earlier job's end may still stand there. A job too short to be seen running has
        # ended by the time this gives up waiting for it.
        with suppress(Error):
            self.read(re.compile(rf"{title} is (starting|running)"), seconds=15)
        self.read(re.compile(rf"{title} ({_ENDS})"), seconds=JOB_SECONDS)
        settle(self.page)
        self.read(f"{title} is done", seconds=5)

    def choose(self, label: str, option: str) -> None:
        """Choose an option of the select box called `label`."""
        self.page.get_by_role("combobox", name=label).click()
        self.page.get_by_role("option", name=option, exact=True).click()
        settle(self.page)

    def type_in(self, label: str, words: str) -> None:
        """Type into the field called `label` and leave it."""
        box = self.page.get_by_role("textbox", name=label, exact=True)
        box.fill(words)
        box.press("Tab")
        settle(self.page)


def pick_version(walk: Walk) -> str:
    """Accept the version that the run sheet proposes, and return it."""
    walk.open("Run sheet")
    walk.picture("fresh-desk")
    version = walk.page.get_by_role("textbox", name="New version").input_value()
    walk.press("Pick this version")
    walk.read(f"{version} is in draft.")
    walk.picture("version-picked")
    return version


def list_the_bucket(walk: Walk) -> None:
    """List the bucket and see what it proves."""
    walk.open("Coverage")
    walk.press("List the bucket")
    walk.read_job("Listing the bucket")
    walk.read("Stages and families", seconds=120)
    walk.picture("bucket-listed")


def confirm_alias(walk: Walk) -> None:
    """Confirm the one alias that waits."""
    walk.page.get_by_role("button", name=re.compile("^Confirm for ")).first.click(delay=30)
    walk.read("Confirmed.", seconds=60)
    walk.picture("alias-confirmed")


def decide_sources(walk: Walk) -> None:
    """Keep each family, with what its form proposes."""
    for title in FAMILIES:
        words = f"Decide about {title}"
        box = walk.page.get_by_test_id("stExpander").filter(has_text=words).last
        walk.press("Record the decision", within=box)
        walk.read(f"Recorded for {title}.", seconds=60)
        settle(walk.page)
    assert walk.page.get_by_text("Decide about ").count() == 0
    walk.picture("sources-decided")


def build(walk: Walk, *, again: bool = False) -> None:
    """Build the candidate and wait for it."""
    walk.open("Gates")
    walk.press("Build the candidate again" if again else "Build the candidate")
    walk.read_job("Building the candidate")
    walk.read("Records that ship")
    walk.picture("built-again" if again else "built")


def run_gates(walk: Walk, *, privacy: str) -> None:
    """Run the gates and see what privacy says."""
    walk.press("Run the gates")
    walk.read_job("Running the gates")
    walk.page.get_by_role("heading", name=re.compile(rf"Privacy.*: {privacy}")).wait_for()
    walk.picture(f"gates-privacy-{privacy}")


def exclude_what_blocks(walk: Walk) -> None:
    """Leave out, kind by kind, every record that a blocking finding is about."""
    page = walk.page
    walk.open("Findings")
    walk.picture("findings")
    # The table above names what blocks; the box of kinds also offers what is only noted.
    table = page.get_by_role("table").filter(has=page.get_by_text("what to do", exact=True))
    blocking = [row.strip() for row in table.locator("tbody td:first-child").all_inner_texts()]
    page.get_by_role("combobox", name="Finding").click()
    offered = page.get_by_role("option").all_inner_texts()
    page.keyboard.press("Escape")
    kinds = [kind for kind in offered if kind.rsplit(" (", 1)[0] in blocking]
    decided = 0
    nothing = page.get_by_text("Nothing is left under this choice")
    for kind in kinds:
        walk.choose("Finding", "all findings")
        nothing.wait_for(state="hidden")
        walk.choose("Finding", kind)
        title = re.escape(kind.split(" (")[0])
        form = page.get_by_text(re.compile(rf"^Decide about all [\d,]+ that block: {title}$"))
        form.or_(nothing).first.wait_for()
        if nothing.is_visible():
            continue
        page.get_by_role("textbox", name=re.compile("^Why")).fill("not ours to ship")
        walk.press("Record the decision")
        walk.read(re.compile(r"^Decided for [\d,]+ place"), seconds=60)
        decided += 1
    assert decided, kinds
    walk.read("for the next build.")
    walk.picture("findings-decided")


def freeze_samples(walk: Walk) -> None:
    """As the review lead, fix what gets read."""
    walk.become(LEAD)
    walk.open("Adjudication")
    walk.page.get_by_role("textbox", name="A few words nobody could have foreseen").fill(
        "rain on a tin roof"
    )
    walk.press("Freeze the samples")
    walk.read("The samples are frozen.", seconds=60)
    walk.picture("samples-frozen")


def rate_claim(walk: Walk, *, name: str) -> None:
    """Rate every record of the claim on the page with the keyboard alone."""
    page = walk.page
    status = page.locator(".form .status")
    page.locator(".form.open .list").wait_for()
    settle(page)
    # The sample, and the records among it that are known to be bad.
    records = page.locator(".form .list option").count()
    for number in range(1, records + 1):
        words = f"Record {number} of {records} · open"
        chosen = page.locator(".form.open .list option:checked").filter(has_text=words)
        chosen.wait_for(state="attached")
        status.filter(has_text="Every change is saved at once").wait_for()
        settle(page)
        if page.locator(".form .card").is_visible():
            page.keyboard.press("a")
            page.locator(".form .turn:visible").first.wait_for()
        for _ in range(page.locator(".form .items .item").count()):
            page.keyboard.press("4")
        page.keyboard.press("1")
        status.filter(has_text=re.compile(r"^Saved \d")).wait_for()
        if number == 1:
            walk.picture(f"{name}-first-record")
        page.keyboard.press("Control+Enter")
    walk.read("Nothing is left for you to read", seconds=60)
    walk.picture(f"{name}-read")


def sign_claim(walk: Walk, name: str, *, picture: str) -> None:
    """Sign the sheet on the page in one's own name."""
    label = walk.page.get_by_role("textbox", name=re.compile("^Type your name"))
    label.fill(name)
    walk.press("Approve")
    walk.read("Signed.", seconds=60)
    walk.read(re.compile(rf"Approved by {name} .*UTC"))
    walk.picture(picture)


def read_for_names(walk: Walk) -> None:
    """Answer for every record of the PII sample that nobody could be identified by it."""
    walk.open("PII check")
    walk.read(re.compile(r"^0 of 4 read\."))
    walk.picture("pii-first-record")
    for number in range(1, 5):
        # The key that the button names; it works wherever the keyboard is on the page.
        walk.page.keyboard.press("n")
        walk.read(re.compile(rf"^{number} of 4 sampled records of "))
        settle(walk.page)
    walk.read("Nothing is left to read")
    walk.picture("pii-read")


def review(walk: Walk) -> None:
    """Read for names, then read and sign the three claims, each as its own person."""
    walk.become(CLINICIAN)
    read_for_names(walk)
    walk.open("Clinician review")
    rate_claim(walk, name="clinician-foundation")
    sign_claim(walk, CLINICIAN, picture="clinician-foundation-signed")
    walk.page.get_by_role("radio", name="Clinician QA: edge and crisis").click()
    settle(walk.page)
    rate_claim(walk, name="clinician-edge")
    sign_claim(walk, CLINICIAN, picture="clinician-edge-signed")
    walk.become(BIAS)
    walk.open("Bias review")
    rate_claim(walk, name="bias-foundation")
    sign_claim(walk, BIAS, picture="bias-foundation-signed")


def sign_decision(walk: Walk) -> None:
    """As the other release owner, sign the decision."""
    walk.become(OWNER)
    walk.open("Publish")
    walk.picture("before-the-decision")
    sign_claim(walk, OWNER, picture="decision-signed")
    walk.read("Nothing stands in the way.")


def publish(walk: Walk, version: str) -> None:
    """Dry-run, then publish, and wait until a stranger has verified it."""
    walk.press("Dry run")
    walk.read("nothing would block", seconds=90)
    walk.picture("dry-run")
    walk.type_in("Type the version's name to confirm", version)
    walk.press(f"Publish {version}")
    walk.read_job("Publishing")
    walk.read(f"{version} is published", seconds=60)
    walk.picture("published")


def look_at_release(walk: Walk, version: str) -> None:
    """See the release, verify it again, and read its notes."""
    walk.open("Releases")
    walk.press("Verify again")
    walk.read("each as the manifest says", seconds=120)
    walk.picture("verified")
    walk.page.get_by_role("tab", name="Smoke test").click()
    walk.read("Passed at")
    walk.picture("smoke")
    walk.page.get_by_role("tab", name="Documents").click()
    walk.read(f"# Release notes: {version}")
    walk.picture("documents")
    walk.page.get_by_role("tab", name="For training").click()
    walk.read("Shares by phase")
    walk.picture("for-training")


def check_the_journal(walk: Walk) -> None:
    """See that the journal holds."""
    walk.open("Audit")
    walk.press("Verify the journal")
    walk.read("every link holds", seconds=60)
    walk.picture("audit")
