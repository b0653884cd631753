from collections.abc import Callable, Mapping

import pytest
from pydantic import JsonValue
from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from leadpipe_mcp.api.leadpipe import LeadpipeClient
from leadpipe_mcp.api.models import AudienceConfig
from leadpipe_mcp.api.transport import Application
from leadpipe_mcp.errors import NotPossible, RequestRefused, ServiceDown, UnusableAnswer
from leadpipe_mcp.sandbox import Fault, Sandbox

pytestmark = pytest.mark.anyio
Start = Callable[..., Sandbox]
Connect = Callable[..., LeadpipeClient]
Altered = Callable[[Application, Mapping[str, Application]], Application]
Filters = dict[str, JsonValue]
PROFILES = ("flat", "catalog", "mixed")
SOFTWARE: Filters = {"company.industries": {"values": ["software development"]}}


def config(*topics: int, **parts: object) -> AudienceConfig:
    return AudienceConfig.model_validate({"topic_ids": topics or (117805,), **parts})


def asked(sandbox: Sandbox, route: str) -> list[object]:
    """The bodies that were sent to a route."""
    return [request.body for request in sandbox.requests if request.path.endswith(route)]


async def test_a_preview_counts_and_shows_people(start: Start, connect: Connect) -> None:
    sizes: set[int] = set()
    for profile in PROFILES:
        preview = await connect(start(profile=profile)).configs.preview(config(filters=SOFTWARE))
        sizes.add(preview.size)
        assert preview.data_date == "2026-05-04"
        assert len(preview.sample) == 25
        best = preview.sample[0]
        assert best.company_industry == "software development"
        assert (best.intent_score, best.topic_name) == (99, "Marketing ROI")
        assert best.id
        assert best.job_title
        made_up = sum(part.count for part in preview.industries)
        assert made_up == (0 if profile == "flat" else preview.size)
        assert [part.label for part in preview.industries[:1]] == (
            [] if profile == "flat" else ["Software Development"]
        )
        assert bool(preview.seniorities) == bool(preview.config_hash) == (profile != "flat")
    assert len(sizes) == 1
    assert sizes.pop() > 25


async def test_nothing_is_saved_by_a_preview(start: Start, connect: Connect) -> None:
    client = connect(start())
    await client.configs.preview(config())
    assert await client.audiences.list() == ()


async def test_a_config_is_validated_where_the_api_can(start: Start, connect: Connect) -> None:
    for profile in ("catalog", "mixed"):
        sandbox = start(profile=profile)
        client = connect(sandbox)
        validation = await client.configs.validate(config(117805, 117890, filters=SOFTWARE))
        assert validation is not None
        assert validation.valid
        assert validation.applied_filters == ("company.industries",)
        assert len(validation.config_hash or "") == 64
        normal = validation.normalized_config
        assert normal is not None
        assert (normal.topic_ids, normal.min_score, normal.max_score) == ((117805, 117890), 70, 99)
        assert client.profile.validates is True
        assert (await client.configs.preview(config())).size > 0
        assert len(asked(sandbox, "/validate")) == 2


async def test_the_older_api_validates_nothing(start: Start, connect: Connect) -> None:
    sandbox = start(profile="flat")
    client = connect(sandbox)
    assert await client.configs.validate(config(filters=SOFTWARE)) is None
    assert client.profile.validates is False
    with pytest.raises(NotPossible, match="no value 'softwork'"):
        await client.configs.validate(config(filters={"companyIndustry": ["softwork"]}))
    assert not asked(sandbox, "/validate")


async def test_a_catalogue_without_the_validate_route_is_found_out_once(
    start: Start, connect: Connect, altered: Altered
) -> None:
    sandbox = start()
    gone: list[str] = []

    async def missing(scope: Scope, receive: Receive, send: Send) -> None:
        gone.append("asked")
        await JSONResponse({}, 404)(scope, receive, send)

    client = connect(altered(sandbox, {"POST /validate": missing}))
    for _ in range(3):
        assert (await client.configs.preview(config(filters=SOFTWARE))).size > 0
    assert len(gone) == 1
    assert client.profile.validates is False


@pytest.mark.parametrize("profile", PROFILES)
async def test_an_impossible_config_is_refused_in_the_words_of_the_service(
    profile: str, start: Start, connect: Connect
) -> None:
    bad = config(min_score=90, max_score=60)
    for form, named in (("400", "VALIDATION_ERROR"), ("zod", "ZodError")):
        sandbox = start(profile=profile, impossible_config="reject", invalid_config=form)
        with pytest.raises(RequestRefused) as caught:
            await connect(sandbox).configs.preview(bad)
        assert (caught.value.status, caught.value.code) == (400, named)
        assert "minScore: Must not be above maxScore" in caught.value.problem


async def test_a_config_may_be_called_invalid_in_a_success(start: Start, connect: Connect) -> None:
    sandbox = start(impossible_config="reject", invalid_config="valid_false")
    bad = config(117805, min_score=90, max_score=60, min_topic_overlap=2)
    with pytest.raises(NotPossible) as caught:
        await connect(sandbox).configs.preview(bad)
    assert str(caught.value) == (
        "The service finds this config invalid: minScore: Must not be above maxScore;"
        " minTopicOverlap: Must not exceed the number of topics."
    )
    assert not asked(sandbox, "/preview")


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({}, "invalid."),
        ({"message": "Too many"}, "invalid: Too many."),
        ({"reason": "Too many of jane@acme.com"}, "invalid: Too many of [email]."),
        ({"errors": ["One", "Two"]}, "invalid: One; Two."),
        ({"issues": [{"message": "One", "path": ["a", 0]}]}, "invalid: a.0: One."),
        ({"error": "Zero", "errors": ["One", "Two", "Three"]}, "invalid: Zero; One; Two."),
    ],
)
async def test_what_is_invalid_is_said_wherever_it_stands(
    more: dict[str, object], said: str, start: Start, connect: Connect, altered: Altered
) -> None:
    invalid = JSONResponse({"data": {"valid": False, **more}})
    client = connect(altered(start(), {"POST /validate": invalid}))
    with pytest.raises(NotPossible) as caught:
        await client.configs.validate(config())
    assert str(caught.value) == f"The service finds this config {said}"


@pytest.mark.parametrize(
    "data", [{}, [], None, "valid", {"appliedFilters": []}, {"valid": "perhaps"}]
)
async def test_an_answer_that_does_not_speak_of_validity_is_no_validation(
    data: object, start: Start, connect: Connect, altered: Altered
) -> None:
    answer = JSONResponse({"data": data})
    client = connect(altered(start(), {"POST /validate": answer}))
    with pytest.raises(UnusableAnswer, match="status 200"):
        await client.configs.preview(config())


@pytest.mark.parametrize(
    "data",
    [
        {"valid": True},
        {"configHash": "abc"},
        {"normalizedConfig": {"topicIds": [117805]}},
        {"valid": True, "normalizedConfig": {"topicIds": [117805], "minScore": None}},
    ],
)
async def test_a_validation_may_tell_little(
    data: object, start: Start, connect: Connect, altered: Altered
) -> None:
    client = connect(altered(start(), {"POST /validate": JSONResponse({"data": data})}))
    preview = await client.configs.preview(config(min_score=60, filters=SOFTWARE))
    assert (preview.notes, preview.config.min_score) == ((), 60)
    validation = await client.configs.validate(config())
    assert validation is not None
    assert validation.valid


@pytest.mark.parametrize("route", ["filters", "validate", "preview"])
async def test_a_service_that_fails_is_not_passed_over(
    route: str, start: Start, connect: Connect
) -> None:
    sandbox = start()
    sandbox.faults.add(Fault("status", path=f"/{route}", times=3))
    # Nothing was changed, so the advice is to ask again.
    with pytest.raises(ServiceDown, match="Try again in a minute"):
        await connect(sandbox).configs.preview(config())
    assert sandbox.requests[-1].path.endswith(route)


APPLIED: list[object] = [
    ["company.industries"],
    ["companyIndustry"],
    ["role.seniority", "company.industries"],
    ["company.industries in (software development)"],
    ["company.industries: software development"],
    ["company.industries[software development]"],
    ["company.industries=software development"],
    [{"key": "company.industries", "values": ["software development"]}],
    {"company.industries": {"values": ["software development"]}},
    None,
]
NOT_APPLIED: list[object] = [
    [],
    {},
    ["company"],
    ["industries"],
    ["role.seniority"],
    ["company.industriesX"],
    ["company.industries.other"],
    ["company.industryGroups"],
    ["x company.industries"],
    [{"key": "role.seniority"}],
]


@pytest.mark.parametrize("applied", APPLIED)
@pytest.mark.parametrize("route", ["validate", "preview"])
async def test_a_filter_counts_as_applied_in_whatever_form_it_is_listed(
    applied: object, route: str, start: Start, connect: Connect, altered: Altered
) -> None:
    data = {"valid": True, "totalCount": 7, "appliedFilters": applied}
    client = connect(altered(start(), {f"POST /{route}": JSONResponse({"data": data})}))
    assert (await client.configs.preview(config(filters=SOFTWARE))).size > 0


@pytest.mark.parametrize("applied", NOT_APPLIED)
@pytest.mark.parametrize("route", ["validate", "preview"])
async def test_a_filter_that_is_not_listed_as_applied_is_named(
    applied: object, route: str, start: Start, connect: Connect, altered: Altered
) -> None:
    data = {"valid": True, "totalCount": 7, "appliedFilters": applied}
    client = connect(altered(start(), {f"POST /{route}": JSONResponse({"data": data})}))
    with pytest.raises(NotPossible) as caught:
        await client.configs.preview(config(filters=SOFTWARE))
    assert caught.value.problem == (
        "The service took the config, but does not say that it applied company.industries;"
        " the people would not be the ones asked for."
    )


@pytest.mark.parametrize("applied", ["company.industries", [{}], [7], 7])
async def test_a_list_of_applied_filters_that_is_none_is_no_answer(
    applied: object, start: Start, connect: Connect, altered: Altered
) -> None:
    data = {"valid": True, "appliedFilters": applied}
    client = connect(altered(start(), {"POST /validate": JSONResponse({"data": data})}))
    with pytest.raises(UnusableAnswer, match="appliedFilters"):
        await client.configs.validate(config())


async def test_a_filter_that_the_service_silently_ignores_is_named(
    start: Start, connect: Connect, altered: Altered
) -> None:
    offered = {"key": "company.technologies", "type": "multi_select", "values": [{"value": "x"}]}
    listed = JSONResponse({"data": {"groups": [{"filters": [offered]}]}})
    wish = config(filters={"company.technologies": ["x"]})
    for profile in ("catalog", "mixed"):
        ignoring = start(profile=profile, unknown_filters="ignore")
        client = connect(altered(ignoring, {"GET /filters": listed}))
        with pytest.raises(
            NotPossible, match=r"does not say that it applied company\.technologies"
        ):
            await client.configs.preview(wish)
        assert not asked(ignoring, "/preview")
        rejecting = start(profile=profile, unknown_filters="reject")
        client = connect(altered(rejecting, {"GET /filters": listed}))
        with pytest.raises(RequestRefused, match=r"company\.technologies: Unrecognized filter"):
            await client.configs.preview(wish)


async def test_a_no_that_the_service_ignores_is_named(start: Start, connect: Connect) -> None:
    client = connect(start(false_filter="ignore"))
    with pytest.raises(NotPossible, match=r"does not say that it applied contact\.hasPhone"):
        await client.configs.preview(config(filters={"hasPhone": False}))


async def test_a_score_that_is_clamped_is_said(start: Start, connect: Connect) -> None:
    for profile in ("catalog", "mixed"):
        client = connect(start(profile=profile))
        for score in (0, 1, 49):
            preview = await client.configs.preview(config(min_score=score))
            assert preview.notes == (f"The service counts scores from 50, not {score}.",)
            assert preview.config.min_score == 50
        preview = await client.configs.preview(config(min_score=50))
        assert preview.notes == ()
        unasked = await client.configs.preview(config())
        assert unasked.notes == ()
        assert unasked.size == (await client.configs.preview(config(min_score=70))).size


async def test_the_older_api_counts_scores_from_one(start: Start, connect: Connect) -> None:
    sandbox = start(profile="flat")
    client = connect(sandbox)
    preview = await client.configs.preview(config(min_score=0))
    assert (preview.config.min_score, preview.notes) == (1, ())
    assert asked(sandbox, "/preview") == [{"topicIds": [117805], "minScore": 1}]
    assert preview.size == (await client.configs.preview(config(min_score=1))).size


async def test_a_hundred_and_ninety_nine_are_the_same_score(start: Start, connect: Connect) -> None:
    for profile, sent in (("flat", 100), ("catalog", 99), ("mixed", 99)):
        sandbox = start(profile=profile)
        client = connect(sandbox)
        preview = await client.configs.preview(config(max_score=100))
        assert preview.config.max_score == sent
        assert preview.size == (await client.configs.preview(config(max_score=99))).size > 0
        assert preview.notes == ()


async def test_a_score_that_nobody_has_is_refused_where_the_service_would(
    start: Start, connect: Connect
) -> None:
    with pytest.raises(NotPossible, match="Scores end at 99 here; minScore must be lower"):
        await connect(start(profile="catalog")).configs.preview(config(min_score=100))
    flat = connect(start(profile="flat"))
    assert (await flat.configs.preview(config(min_score=100))).size == 0


@pytest.mark.parametrize(("profile", "most"), [("flat", 10), ("catalog", 250), ("mixed", 250)])
async def test_so_many_topics_and_no_more(
    profile: str, most: int, start: Start, connect: Connect
) -> None:
    sandbox = start(profile=profile, people=300)
    client = connect(sandbox)
    topics = range(114_001, 114_002 + most)
    assert (await client.configs.preview(config(*topics[:most]))).size > 0
    sent = len(sandbox.requests)
    with pytest.raises(NotPossible, match=f"at most {most} topics.*, and {most + 1} were named"):
        await client.configs.preview(config(*topics))
    assert len(sandbox.requests) == sent


async def test_the_whole_config_is_sent_and_nothing_else(start: Start, connect: Connect) -> None:
    sandbox = start()
    whole = config(
        117805,
        117890,
        min_score=60,
        max_score=90,
        min_topic_overlap=2,
        filters=SOFTWARE,
        source_url="https://acme.example/crm",
        unknown="x",
    )
    await connect(sandbox).configs.preview(whole)
    body = {
        "topicIds": [117805, 117890],
        "minScore": 60,
        "maxScore": 90,
        "minTopicOverlap": 2,
        "filters": SOFTWARE,
        "sourceUrl": "https://acme.example/crm",
    }
    assert asked(sandbox, "/validate") == asked(sandbox, "/preview") == [body]
    await connect(sandbox).configs.preview(config())
    assert asked(sandbox, "/preview")[-1] == {"topicIds": [117805]}


NO_PREVIEWS: list[object] = [
    {},
    [],
    {"totalCount": None},
    {"totalCount": "many"},
    {"totalCount": 1, "sample": [7]},
    {"totalCount": 1, "sample": [{}]},
]


@pytest.mark.parametrize(
    ("profile", "data"),
    [
        *((profile, data) for profile in PROFILES for data in NO_PREVIEWS),
        ("flat", {"totalCount": 1, "sample": [{"intentScore": "high"}]}),
        ("catalog", {"totalCount": 1, "sample": [{"intent": {"score": "high"}}]}),
        ("catalog", {"totalCount": 1, "breakdowns": {"industries": [{"value": "x"}]}}),
    ],
)
async def test_a_preview_without_a_size_or_of_another_form_is_none(
    profile: str, data: object, start: Start, connect: Connect, altered: Altered
) -> None:
    answer = JSONResponse({"data": data})
    client = connect(altered(start(profile=profile), {"POST /preview": answer}))
    with pytest.raises(UnusableAnswer, match="status 200"):
        await client.configs.preview(config())


async def test_a_preview_may_have_a_size_alone(
    start: Start, connect: Connect, altered: Altered
) -> None:
    answer = JSONResponse({"data": {"totalCount": 0, "sample": None, "breakdowns": None}})
    for profile in PROFILES:
        client = connect(altered(start(profile=profile), {"POST /preview": answer}))
        preview = await client.configs.preview(config(filters=SOFTWARE))
        assert (preview.size, preview.sample, preview.industries) == (0, (), ())


PRESENT: list[tuple[str, Filters]] = [
    ("dotted", {"role.seniority": {"values": ["vp"]}, "contact.hasPhone": True}),
    ("nested", {"role": {"seniority": {"values": ["vp"]}}, "contact": {"hasPhone": True}}),
    ("nested lists", {"role": {"seniority": ["vp"]}, "contact": {"hasPhone": True}}),
    ("flat", {"seniority": ["vp"], "hasPhone": True}),
]


@pytest.mark.parametrize(("form", "present"), PRESENT)
async def test_a_change_of_filters_leaves_the_others(
    form: str, present: Filters, start: Start, connect: Connect
) -> None:
    client = connect(start())

    async def changed(**change: object) -> Filters:
        merged = await client.configs.merge_filters(present, change)
        return (await client.configs.spell(config(filters=merged))).filters

    assert form
    seniority: Filters = {"role.seniority": {"values": ["vp"]}}
    assert await changed() == {**seniority, "contact.hasPhone": True}
    assert await changed(hasPhone=None) == seniority
    assert await changed(**{"contact.hasPhone": None}) == seniority
    assert await changed(hasPhone=None, seniority=None) == {}
    assert await changed(hasPhone="n") == {**seniority, "contact.hasPhone": False}
    assert await changed(seniority=["Director"], hasPhone=None) == {
        "role.seniority": {"values": ["director"]}
    }
    assert await changed(state=["california"]) == {
        **seniority,
        "contact.hasPhone": True,
        "location.states": {"values": ["california"]},
    }


async def test_a_mode_beside_its_terms_is_kept(start: Start, connect: Connect) -> None:
    client = connect(start())
    present: Filters = {"jobTitle": {"include": ["chief", "officer"], "includeMode": "all"}}
    merged = await client.configs.merge_filters(present, {"hasPhone": True})
    told = (await client.configs.spell(config(filters=merged))).filters
    assert told["jobTitle.include"] == {
        "values": ["chief", "officer"],
        "operator": "contains",
        "mode": "all",
    }
    assert set(told) == {"jobTitle.include", "contact.hasPhone"}


async def test_an_object_is_not_taken_for_a_group(start: Start, connect: Connect) -> None:
    client = connect(start())
    present: Filters = {
        "jobTitle": {"values": ["cfo"], "mode": "any"},
        "company.size": {"from": 10, "to": 50},
        "company": {"tradingMode": {"values": ["x"]}, "names": ["Acme"]},
    }
    assert await client.configs.merge_filters(present, {}) == {
        "jobTitle.include": {"values": ["cfo"], "mode": "any"},
        "company.size": {"from": 10, "to": 50},
        "company.tradingMode": {"values": ["x"]},
        "company.names": ["Acme"],
    }


async def test_a_change_names_what_it_cannot_do(start: Start, connect: Connect) -> None:
    client = connect(start())
    for change, said in (
        ({"industri": None}, "There is no filter 'industri'"),
        ({"seniority": ["boss"]}, "'seniority' has no value 'boss'"),
        ({"state": {"values": 7}}, "'state' takes a list of words"),
    ):
        with pytest.raises(NotPossible, match=said):
            await client.configs.merge_filters({}, change)


async def test_a_filter_that_is_gone_is_kept_until_it_is_named(
    start: Start, connect: Connect
) -> None:
    client = connect(start())
    present: Filters = {"company.gone": {"values": ["x"]}}
    merged = await client.configs.merge_filters(present, {"hasPhone": True})
    assert merged == {"company.gone": {"values": ["x"]}, "contact.hasPhone": True}
    with pytest.raises(NotPossible, match=r"There is no filter 'company\.gone'"):
        await client.configs.preview(config(filters=merged))
    assert await client.configs.merge_filters(merged, {"company.gone": None}) == {
        "contact.hasPhone": True
    }
