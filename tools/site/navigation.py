"""The pages of the site, in their order: which document is which page."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

HOME = "index.md"


@dataclass
class Page:
    """A page of the site."""

    title: str
    path: str
    """Below the site's source, such as ``rest.md``."""
    document: str = ""
    """Of the repository; empty for a page that is generated."""
    below: dict[str, str] = field(default_factory=dict)
    """Pages under this one: title by path."""


@dataclass
class Section:
    """Pages under one heading."""

    title: str
    pages: list[Page] = field(default_factory=list)


def _docs(title: str, name: str) -> Page:
    return Page(title, name, f"docs/{name}")


def _sections() -> list[Section]:
    return [
        Section(
            "Start",
            [
                Page("Meetra", HOME, "README.md"),
                _docs("Quick start", "quick-start.md"),
                _docs("Concepts", "concepts.md"),
                _docs("Glossary", "glossary.md"),
            ],
        ),
        Section(
            "Use",
            [
                _docs("Recordings", "recordings.md"),
                _docs("Live meetings", "live.md"),
                _docs("NorthStar: meeting quality", "northstar.md"),
                _docs("Metrics", "metrics.md"),
                _docs("Exports", "exports.md"),
                _docs("Search", "search.md"),
                _docs("Webhooks", "webhooks.md"),
                _docs("Clients of OpenAI", "openai.md"),
                _docs("Assistants (MCP)", "mcp.md"),
                _docs("Redaction", "redaction.md"),
                Page("Python client", "python-client.md", "clients/python/README.md"),
                Page("TypeScript client", "typescript-client.md", "clients/typescript/README.md"),
                Page("The sample meeting", "sample.md", "sample/README.md"),
            ],
        ),
        Section(
            "Reference",
            [
                _docs("REST", "rest.md"),
                Page("REST, call by call", "rest/index.md"),
                Page("REST, to try", "rest/try.md"),
                Page("gRPC", "grpc/index.md"),
                Page("Protos for other languages", "protos.md", "proto/README.md"),
                _docs("Errors", "errors.md"),
            ],
        ),
        Section(
            "Run",
            [
                _docs("Deployment", "deployment.md"),
                _docs("Operating", "operating.md"),
                _docs("Observability", "observability.md"),
                _docs("Security considerations", "security-considerations.md"),
                _docs("Models and licences", "models.md"),
                _docs("Engines", "engines.md"),
                _docs("NVIDIA NeMo", "engines-nemo.md"),
                _docs("Exporting engines", "engines-export.md"),
                _docs("Accuracy", "accuracy.md"),
                _docs("Performance", "performance.md"),
                _docs("Capacity", "capacity.md"),
            ],
        ),
        Section(
            "Inside",
            [
                _docs("Building blocks", "building-blocks.md"),
                _docs("Audio processing flow", "processing-flow.md"),
                _docs("Project structure", "project-structure.md"),
                _docs("Database structure", "database.md"),
                _docs("Architecture", "architecture.md"),
                _docs("Dependencies", "dependencies.md"),
                _docs("Open source usage", "open-source.md"),
            ],
        ),
        Section(
            "Project",
            [
                Page("Contributing", "contributing.md", "CONTRIBUTING.md"),
                Page("Security reports", "security.md", "SECURITY.md"),
                Page("Roadmap", "roadmap.md", "ROADMAP.md"),
                Page("Changelog", "changelog.md", "CHANGELOG.md"),
            ],
        ),
    ]


# A folder of documents is a section; one that is not there is none.
FOLDERS = {"migration": "Migration", "decisions": "Decisions"}


def title_of(text: str) -> str:
    """Return the title of a document: its first heading, without marks. Raises ValueError where it has none."""
    for line in text.splitlines():
        if line.startswith("# "):
            return line.removeprefix("# ").replace("`", "").strip()
    raise ValueError("a document begins with a heading: # Title")


def navigation(root: Path) -> list[Section]:
    """Return the sections of the site of the repository in ``root``.

    Every document of ``docs`` has a page: one that is not named above comes under "More", by its title.
    """
    sections = [
        Section(section.title, [page for page in section.pages if not page.document or (root / page.document).exists()])
        for section in _sections()
    ]
    for folder, title in FOLDERS.items():
        if pages := [_found(root, path) for path in sorted((root / "docs" / folder).glob("*.md"))]:
            index = f"{folder}/index.md"
            if index not in [page.path for page in pages]:
                pages.insert(0, Page("All", index))
            sections.insert(-1, Section(title, pages))
    named = {page.document for section in sections for page in section.pages}
    others = [_found(root, path) for path in sorted((root / "docs").rglob("*.md"))]
    if more := [page for page in others if page.document not in named]:
        sections.insert(-1, Section("More", more))
    return sections


def indexes(sections: list[Section]) -> dict[str, str]:
    """Return pages that list the documents of folders, by path."""
    titles = {f"{folder}/index.md": title for folder, title in FOLDERS.items()}
    return {
        page.path: "\n".join(
            [
                f"# {titles[page.path]}\n",
                *(f"- [{one.title}]({PurePosixPath(one.path).name})" for one in section.pages[1:]),
            ]
        )
        for section in sections
        for page in section.pages
        if page.path in titles and not page.document
    }


def _found(root: Path, path: Path) -> Page:
    document = path.relative_to(root)
    return Page(title_of(path.read_text(encoding="utf-8")), str(document.relative_to("docs")), str(document))
