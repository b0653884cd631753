from collections.abc import Mapping

import pytest
from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from leadpipe_mcp.api import models
from leadpipe_mcp.api.leadpipe import LeadpipeClient
from leadpipe_mcp.errors import NotPossible, UnusableAnswer
from tests.api.answering import Connect, Start
from tests.faults.service import Sandbox

pytestmark = pytest.mark.anyio
SOFTWARE: models.Filters = {"company.industries": {"values": ["software development"]}}


def config(*topics: int, **parts: object) -> models.AudienceConfig:
    return models.AudienceConfig.model_validate({"topic_ids": topics or (117805,), **parts})


async def preview(client: LeadpipeClient, config: models.AudienceConfig) -> models.Preview:
    return await client.configs.preview(await client.configs.spell(config))


async def validate(
    client: LeadpipeClient, config: models.AudienceConfig
) -> models.Validation | None:
    return await client.configs.validate(await client.configs.spell(config))


def asked(sandbox: Sandbox, route: str) -> list[object]:
    """The bodies that were sent to a route."""
    return [request.body for request in sandbox.requests if request.path.endswith(route)]


async def test_a_preview_counts_and_shows_people(start: Start, connect: Connect) -> None:
    sizes: set[int] = set()
    for profile in ("flat", "catalog"):
        found = await preview(connect(start(profile=profile)), config(filters=SOFTWARE))
        sizes.add(found.size)
        assert (found.data_date, len(found.sample)) == ("2026-05-04", 25)
        best = found.sample[0]
        shown = (best.get("companyIndustry"), best.get("intentScore"), best.get("topicName"))
        assert shown == ("software development", 99, "Marketing ROI")
        assert best.get("id")
        assert best.get("jobTitle")
        made_up = [(part.label, part.count) for part in found.industries]
        assert made_up == ([] if profile == "flat" else [("Software Development", found.size)])
        assert bool(found.seniorities) == bool(found.config_hash) == (profile != "flat")
    assert len(sizes) == 1
    assert sizes.pop() > 25


async def test_a_config_is_validated_where_the_api_can(client: LeadpipeClient) -> None:
    validation = await validate(client, config(117805, 117890, filters=SOFTWARE))
    assert validation is not None
    assert validation.valid
    assert validation.applied_filters == (("company.industries", None),)
    normal = validation.normalized_config
    assert normal is not None
    assert (normal.topic_ids, normal.min_score, normal.max_score) == ((117805, 117890), 70, 99)
    assert client.profile.validates is True


async def test_a_catalogue_without_the_validate_route_is_found_out_once(
    sandbox: Sandbox, with_answers: Connect
) -> None:
    gone: list[str] = []

    async def missing(scope: Scope, receive: Receive, send: Send) -> None:
        gone.append("asked")
        await JSONResponse({}, 404)(scope, receive, send)

    client = with_answers({"POST /validate": missing}, sandbox)
    for _ in range(3):
        assert (await preview(client, config(filters=SOFTWARE))).size > 0
    assert len(gone) == 1
    assert client.profile.validates is False


async def test_a_config_may_be_called_invalid_in_a_success(start: Start, connect: Connect) -> None:
    sandbox = start(impossible_config="reject", invalid_config="valid_false")
    bad = config(117805, min_score=90, max_score=60, min_topic_overlap=2)
    with pytest.raises(NotPossible) as caught:
        await preview(connect(sandbox), bad)
    assert str(caught.value) == (
        "The service finds this config invalid: minScore: Must not be above maxScore;"
        " minTopicOverlap: Must not exceed the number of topics."
    )
    assert not asked(sandbox, "/preview")


async def test_what_is_invalid_is_said_wherever_it_stands(with_answers: Connect) -> None:
    for more, said in (
        ({"reason": "Too many of jane@acme.com"}, "Too many of [email]"),
        ({"issues": [{"message": "One", "path": ["a", 0]}]}, "a.0: One"),
        ({"error": "Zero", "errors": ["One", "Two", "Three"]}, "Zero; One; Two"),
    ):
        client = with_answers({"POST /validate": JSONResponse({"data": {"valid": False, **more}})})
        with pytest.raises(NotPossible) as caught:
            await validate(client, config())
        assert str(caught.value) == f"The service finds this config invalid: {said}."


OF_NO_USE: list[tuple[str, object]] = [
    ("validate", {}),
    ("validate", None),
    ("validate", {"appliedFilters": []}),
    ("validate", {"valid": "perhaps"}),
    ("preview", []),
    ("preview", {"totalCount": "many"}),
]


@pytest.mark.parametrize(("route", "data"), OF_NO_USE)
async def test_an_answer_that_speaks_of_no_validity_or_of_no_size_is_none(
    route: str, data: object, with_answers: Connect
) -> None:
    client = with_answers({f"POST /{route}": JSONResponse({"data": data})})
    with pytest.raises(UnusableAnswer, match="status 200"):
        await preview(client, config())


@pytest.mark.parametrize(
    ("other", "named"),
    [
        ({"topicIds": [117890]}, "topicIds"),
        ({"filters": {**SOFTWARE, "role.isCeo": True}}, "role.isCeo"),
        ({"minScore": 50, "maxScore": 80, "filters": {}}, "maxScore, companyIndustry"),
    ],
)
async def test_a_config_that_the_service_makes_another_of_is_refused_naming_each_part(
    other: dict[str, object], named: str, with_answers: Connect
) -> None:
    same = {"topicIds": [117805], "minScore": 60, "filters": SOFTWARE}
    answer = JSONResponse({"data": {"valid": True, "normalizedConfig": {**same, **other}}})
    client = with_answers({"POST /validate": answer})
    with pytest.raises(NotPossible, match=f"that it applied {named} as asked"):
        await validate(client, config(min_score=60, filters=SOFTWARE))


async def test_a_filter_that_is_not_applied_as_asked_is_named_however_it_is_listed(
    with_answers: Connect,
) -> None:
    applied: list[object] = [
        ["company.industries"],
        ["companyIndustry"],
        ["company.industries in (software development)"],
        [{"key": "company.industries", "values": ["software development"]}],
        {"company.industries": {"values": ["software development"]}},
        None,
    ]
    not_applied: list[tuple[object, str]] = [
        ([], "companyIndustry"),
        (["company"], "companyIndustry"),
        (["company.industriesX"], "companyIndustry"),
        (["company.industries.other"], "companyIndustry"),
        ([{"key": "role.seniority"}], "companyIndustry, seniority"),
        (["role.seniority", "company.industries"], "seniority"),
        ({"company.industries": ["banking"]}, "companyIndustry"),
    ]
    cases = [*((said, "") for said in applied), *not_applied]
    for route in ("validate", "preview"):
        told: dict[str, object] = {"valid": True, "totalCount": 7}

        async def service(
            scope: Scope, receive: Receive, send: Send, told: dict[str, object] = told
        ) -> None:
            await JSONResponse({"data": told})(scope, receive, send)

        client = with_answers({f"POST /{route}": service})
        for said, named in cases:
            told["appliedFilters"] = said
            if not named:
                assert (await preview(client, config(filters=SOFTWARE))).size > 0
                continue
            with pytest.raises(NotPossible) as caught:
                await preview(client, config(filters=SOFTWARE))
            assert caught.value.problem == (
                f"The service took the config, but does not say that it applied {named} as asked;"
                " the people would not be the ones asked for."
            )


async def test_scores_are_those_that_the_generation_has_and_what_is_counted_is_said(
    start: Start, connect: Connect
) -> None:
    flat, catalog = (connect(start(profile=profile)) for profile in ("flat", "catalog"))
    for score in (0, 49):
        found = await preview(catalog, config(min_score=score))
        assert found.notes == (f"The service counts scores from 50, not {score}.",)
        assert found.config.min_score == 50
    assert (await preview(catalog, config(min_score=50))).notes == ()
    # Of two that mean the same, the one that the service takes is sent.
    for client, asked, same in ((flat, "min_score", (0, 1)), (catalog, "max_score", (100, 99))):
        sizes = [(await preview(client, config(**{asked: score}))).size for score in same]
        assert sizes[0] == sizes[1] > 0
        found = await preview(client, config(**{asked: same[0]}))
        assert (getattr(found.config, asked), found.notes) == (same[1], ())
    with pytest.raises(NotPossible, match="Scores end at 99 here; minScore must be lower"):
        await preview(catalog, config(min_score=100))
    assert (await preview(flat, config(min_score=100))).size == 0


@pytest.mark.parametrize(("profile", "most"), [("flat", 10), ("catalog", 250)])
async def test_so_many_topics_and_no_more(
    profile: str, most: int, start: Start, connect: Connect
) -> None:
    sandbox = start(profile=profile, people=300)
    client = connect(sandbox)
    topics = range(114_001, 114_002 + most)
    assert (await preview(client, config(*topics[:most]))).size > 0
    sent = len(sandbox.requests)
    with pytest.raises(NotPossible, match=f"at most {most} topics.*, and {most + 1} were named"):
        await preview(client, config(*topics))
    assert len(sandbox.requests) == sent


async def test_the_whole_config_is_sent_and_nothing_else(
    sandbox: Sandbox, connect: Connect
) -> None:
    body: dict[str, object] = {
        "topicIds": [117805, 117890],
        "minScore": 60,
        "maxScore": 90,
        "minTopicOverlap": 2,
        "filters": SOFTWARE,
        "sourceUrl": "https://acme.example/crm",
    }
    await preview(connect(sandbox), models.AudienceConfig.model_validate(body))
    assert asked(sandbox, "/validate") == asked(sandbox, "/preview") == [body]
    await preview(connect(sandbox), config())
    assert asked(sandbox, "/preview")[-1] == {"topicIds": [117805]}


PRESENT: list[models.Filters] = [
    {"role.seniority": {"values": ["vp"]}, "contact.hasPhone": True},
    {"role": {"seniority": {"values": ["vp"]}}, "contact": {"hasPhone": True}},
    {"seniority": ["vp"], "hasPhone": True},
]


async def changed(
    client: LeadpipeClient, saved: models.Filters, filters: Mapping[str, object]
) -> models.SpelledConfig:
    """What becomes of a saved config of these filters."""
    config = models.ServiceConfig.model_validate({"topicIds": [117805], "filters": saved})
    return await client.configs.changed(config, {}, filters, {})


async def test_a_change_of_filters_is_made_in_whichever_form_they_are_saved(
    client: LeadpipeClient,
) -> None:
    both: models.Filters = {"seniority": ["vp"], "hasPhone": True}
    for present in PRESENT:
        for change, after in (
            ({}, both),
            ({"contact.hasPhone": None}, {"seniority": ["vp"]}),
            ({"hasPhone": None, "seniority": ["Director"]}, {"seniority": ["director"]}),
            ({"state": ["CA"]}, {**both, "state": ["california"]}),
        ):
            assert (await changed(client, present, change)).shown.filters == after


async def test_a_title_is_asked_for_or_left_out_as_was_said_last(
    start: Start, connect: Connect
) -> None:
    client = connect(start(profile="catalog"))
    saved: models.Filters = {"jobTitle.exclude": {"values": ["intern", "assistant"]}}
    one = await changed(client, saved, {"jobTitle": ["Intern"]})
    assert (one.shown.filters, one.shown.exclude) == (
        {"jobTitle": ["Intern"]},
        {"jobTitle": ["assistant"]},
    )
    both = await changed(client, saved, {"jobTitle": ["assistant", "intern"]})
    assert list(both.sent.filters) == ["jobTitle.include"]
    bare: models.Filters = {"jobTitle.include": ["intern", "vp"]}
    spelled = await client.configs.changed(
        models.ServiceConfig.model_validate({"topicIds": [117805], "filters": bare}),
        {},
        {},
        {"jobTitle": ["intern"]},
    )
    assert (spelled.shown.filters, spelled.shown.exclude) == (
        {"jobTitle": ["vp"]},
        {"jobTitle": ["intern"]},
    )


async def test_an_object_is_no_group_and_a_mode_stays_with_its_terms(
    start: Start, connect: Connect
) -> None:
    present: models.Filters = {
        "jobTitle": {"values": ["cfo"], "mode": "any"},
        "company.size": {"from": 10, "to": 50},
        "company": {"tradingMode": {"values": ["x"]}, "names": ["Acme"], "namesMode": "all"},
    }
    spelled = await changed(connect(start()), present, {})
    assert spelled.sent.filters == {
        "jobTitle.include": {"values": ["cfo"], "mode": "any"},
        "company.size": {"from": 10, "to": 50},
        "company.tradingMode": {"values": ["x"]},
        "company.names": {"values": ["Acme"], "mode": "all"},
    }
    assert spelled.shown.filters == {
        "jobTitle": ["cfo"],
        "company.size": {"from": 10, "to": 50},
        "company.tradingMode": {"values": ["x"]},
        "companyName": {"values": ["Acme"], "mode": "all"},
    }


async def test_a_filter_that_is_gone_is_kept_until_it_is_named(client: LeadpipeClient) -> None:
    gone: models.Filters = {"company.gone": {"values": ["x"]}}
    kept = await changed(client, gone, {"hasPhone": True})
    assert kept.sent.filters == {**gone, "contact.hasPhone": True}
    with pytest.raises(NotPossible, match=r"There is no filter 'company\.gone'"):
        await client.configs.spell(kept.shown)
    without = await changed(client, kept.sent.filters, {"company.gone": None})
    assert without.sent.filters == {"contact.hasPhone": True}
