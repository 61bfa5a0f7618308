"""Rules for README, CONTRIBUTING and docs."""

from __future__ import annotations

import re

from tests.gates.test_shape import ROOT, name

DECISIONS = sorted((ROOT / "docs" / "decisions").glob("0*.md"))
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")]


def test_every_decision_has_a_number_a_status_and_its_four_sections() -> None:
    wrong = []
    for path in DECISIONS:
        text = path.read_text()
        is_headed = re.match(
            rf"# {path.name[:4]}: [^\n]+\n\nStatus: (accepted|superseded by \d{{4}}), \d{{4}}-\d\d-\d\d\n", text
        )
        sections = re.findall(r"^## (Context|Decision|Consequences|Alternatives)$", text, re.MULTILINE)
        if not is_headed or sections != ["Context", "Decision", "Consequences", "Alternatives"]:
            wrong.append(path.name)
    assert wrong == []


def test_the_list_of_decisions_is_complete() -> None:
    listed = (ROOT / "docs" / "decisions" / "README.md").read_text()
    assert [path.name for path in DECISIONS if f"({path.name})" not in listed] == []


def test_links_between_documents_lead_to_files() -> None:
    broken = [
        f"{name(page)}: {link}"
        for page in PAGES
        for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text())
        if not (page.parent / link).exists()
    ]
    assert broken == []
