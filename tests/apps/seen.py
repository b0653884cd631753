"""What tests of the page ask for, and how they see what it shows."""

from playwright.async_api import expect

from tests.apps.host import Host, Json

PLAN: Json = {
    "topics": ["CRM", "marketing automation"],
    "filters": {
        "seniority": ["director", "VP"],
        "department": "marketing",
        "companyIndustry": "software",
        "hasBusinessEmail": True,
    },
    "exclude": {"state": ["CA"]},
    "targetSize": {"min": 400, "max": 500},
}


def rows(table: Json) -> list[Json]:
    """The rows of a reply's table, each with its columns' names."""
    return [dict(zip(table["columns"], row, strict=True)) for row in table["rows"]]


async def shows(host: Host, *texts: object) -> None:
    """Wait until the page shows each of these texts."""
    for text in texts:
        await expect(host.page.locator("body")).to_contain_text(str(text))


async def sized(host: Host, people: int) -> None:
    """Wait until this is the size that the page shows, large."""
    name = f"{people:,} {'person matches' if people == 1 else 'people match'}"
    await expect(host.page.get_by_role("heading", level=1, name=name, exact=True)).to_be_visible()
