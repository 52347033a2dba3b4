import gzip
import zlib

import pandas as pd
import pytest

from walkaway.errors import BookError, DataError
from walkaway.importers.xes import import_xes, read_traces
from walkaway.importers.xes_mapping import XesMapping

NOW = pd.Timestamp("2026-02-01", tz="UTC")
PARTS = {
    "source": "xes",
    "currency": "EUR",
    "case": {"deal_id": "id", "created_at": "born", "amount": "sum"},
    "event": {"name": "concept:name", "owner": "who"},
    "outcome": [
        {"outcome": "won", "events": ["A_SIGNED", "A_PAID"]},
        {"outcome": "lost", "loss_reason": "declined", "events": ["A_DECLINED"]},
    ],
    "field": [{"field": "stage", "events": "A_*", "strip": "A_"}],
    "activity": [{"events": "O_SENT", "kind": "offer sent", "direction": "outbound", "hours": 0.5}],
    "work": {
        "events": "W_*",
        "planned": "SCHEDULE",
        "begun": "START",
        "done": "COMPLETE",
        "clip_hours": 1.0,
        "unpaired_hours": 0.125,
        "kinds": {"W_Call": "call"},
        "directions": {"W_Call": "outbound"},
    },
}


def mapping(**parts) -> XesMapping:
    return XesMapping.model_validate(PARTS | parts)


def event(name: str | None, when: str | None, transition: str | None = None, **more: str) -> str:
    pairs = {"concept:name": name, "time:timestamp": when, "lifecycle:transition": transition} | more
    return (
        "<event>" + "".join(f'<string key="{k}" value="{v}"/>' for k, v in pairs.items() if v is not None) + "</event>"
    )


def trace(*events: str, **case: str | None) -> str:
    case = {"id": "d1", "born": "2026-01-01T00:00:00Z", "sum": "900"} | case
    own = "".join(f'<string key="{k}" value="{v}"/>' for k, v in case.items() if v is not None)
    return f"<trace>{own}{''.join(events)}</trace>"


@pytest.fixture
def take(tmp_path):
    """Imports a log of these traces; in every case rows in = rows used + rows quarantined, each said in full."""

    def import_text(*traces: str, with_mapping: XesMapping | None = None):
        (tmp_path / "log.xes").write_text(f'<log xmlns="http://www.xes-standard.org/">{"".join(traces)}</log>')
        found = import_xes(tmp_path / "log.xes", with_mapping or mapping(), NOW)
        assert found.rows_in == found.rows_used + len(found.quarantine)
        assert (found.quarantine.drop(columns="deal_id") != "").all(axis=None)
        return found

    return import_text


def refused(found) -> list[list[str]]:
    return found.quarantine.drop(columns="remedy").to_numpy().tolist()


def test_a_trace_without_events_is_an_open_deal(take):
    deal = take(trace()).book.deals.iloc[0].dropna().to_dict()

    assert deal == {
        "deal_id": "d1",
        "created_at": pd.Timestamp("2026-01-01", tz="UTC"),
        "amount": 900.0,
        "currency": "EUR",
    }


def test_the_first_closing_event_in_time_decides_the_outcome(take, moment):
    found = take(
        trace(
            event("A_SIGNED", "2026-01-09T00:00:00Z"),
            event("A_DECLINED", "2026-01-05T00:00:00Z"),
            event("A_PAID", "2026-01-10T00:00:00Z"),
        )
    )

    assert found.book.deals[["closed_at", "outcome", "loss_reason"]].to_numpy().tolist() == [
        [moment("2026-01-05"), "lost", "declined"]
    ]


def test_a_deal_without_a_closing_event_has_no_outcome(take):
    deals = take(trace(event("A_SENT", "2026-01-05T00:00:00Z"))).book.deals

    assert deals[["closed_at", "outcome", "loss_reason"]].isna().all(axis=None)


def test_a_field_event_becomes_a_change_from_the_value_before(take):
    found = take(trace(event("A_NEW", "2026-01-02T00:00:00Z"), event("A_SENT", "2026-01-03T00:00:00Z")))

    assert found.book.changes[["field", "old_value", "new_value"]].fillna("-").to_numpy().tolist() == [
        ["stage", "-", "NEW"],
        ["stage", "NEW", "SENT"],
    ]


def test_an_activity_event_takes_the_hours_and_direction_of_its_part(take):
    row = take(trace(event("O_SENT", "2026-01-02T00:00:00Z", who="ann"))).book.activities.iloc[0]

    assert row[["activity_id", "kind", "status", "direction", "hours", "owner_id"]].tolist() == [
        "d1/1",
        "offer sent",
        "done",
        "outbound",
        0.5,
        "ann",
    ]


def work_of(found) -> list[list]:
    rows = found.book.activities
    return [
        [row.kind, row.status, row.direction, row.hours, f"{row.occurred_at:%H:%M}", f"{row.recorded_at:%H:%M}"]
        for row in rows.itertuples()
    ]


def test_a_begin_and_its_end_become_the_hours_between_booked_at_the_end(take):
    found = take(
        trace(
            event("W_Call", "2026-01-02T08:00:00Z", "SCHEDULE"),
            event("W_Call", "2026-01-02T09:00:00Z", "START"),
            event("W_Call", "2026-01-02T09:15:00Z", "COMPLETE"),
        )
    )

    assert work_of(found) == [
        ["call", "planned", "outbound", 0.0, "08:00", "08:00"],
        ["call", "begun", "outbound", 0.0, "09:00", "09:00"],
        ["call", "done", "outbound", 0.25, "09:00", "09:15"],
    ]


def test_work_left_open_overnight_is_clipped(take):
    found = take(
        trace(event("W_Call", "2026-01-02T09:00:00Z", "START"), event("W_Call", "2026-01-03T09:00:00Z", "COMPLETE"))
    )

    assert found.book.activities["hours"].tolist() == [0.0, 1.0]


def test_an_end_without_a_begin_takes_the_unpaired_hours(take):
    found = take(trace(event("W_Call", "2026-01-02T09:15:00Z", "COMPLETE")))

    assert work_of(found) == [["call", "done", "outbound", 0.125, "09:15", "09:15"]]


def test_an_end_uses_up_its_begin(take):
    found = take(
        trace(
            event("W_Call", "2026-01-02T09:00:00Z", "START"),
            event("W_Call", "2026-01-02T09:30:00Z", "COMPLETE"),
            event("W_Call", "2026-01-02T09:45:00Z", "COMPLETE"),
        )
    )

    assert found.book.activities["hours"].tolist() == [0.0, 0.5, 0.125]


def test_a_second_begin_replaces_the_first(take):
    found = take(
        trace(
            event("W_Call", "2026-01-02T09:00:00Z", "START"),
            event("W_Call", "2026-01-02T09:30:00Z", "START"),
            event("W_Call", "2026-01-02T09:45:00Z", "COMPLETE"),
        )
    )

    assert found.book.activities["hours"].tolist() == [0.0, 0.0, 0.25]


def test_work_items_of_different_names_or_cases_are_not_paired(take):
    found = take(
        trace(event("W_Call", "2026-01-02T09:00:00Z", "START"), event("W_Write", "2026-01-02T09:30:00Z", "COMPLETE")),
        trace(event("W_Call", "2026-01-02T09:30:00Z", "COMPLETE"), id="d2"),
    )

    assert found.book.activities[["deal_id", "kind", "hours"]].to_numpy().tolist() == [
        ["d1", "call", 0.0],
        ["d1", "W_Write", 0.125],
        ["d2", "call", 0.125],
    ]


def test_work_without_a_transition_is_done(take):
    assert work_of(take(trace(event("W_Call", "2026-01-02T09:15:00Z"))))[0][1] == "done"


def test_a_transition_the_mapping_does_not_name_is_quarantined_as_such(take):
    found = take(trace(event("W_Call", "2026-01-02T09:15:00Z", "SUSPEND")))

    assert refused(found) == [
        ["events", "case d1, event 1", "d1", "lifecycle:transition", "SUSPEND", "is not named by the mapping"]
    ]


def test_events_of_one_instant_keep_their_order_a_microsecond_apart(take):
    instant = "2026-01-02T09:00:00.000000Z"
    found = take(trace(event("A_NEW", instant), event("A_OLD", instant), event("A_BEST", instant)))

    assert [(row.new_value, row.recorded_at.microsecond) for row in found.book.changes.itertuples()] == [
        ("NEW", 0),
        ("OLD", 1),
        ("BEST", 2),
    ]


def test_events_out_of_order_are_put_in_the_order_of_time(take):
    found = take(trace(event("A_SENT", "2026-01-03T00:00:00Z"), event("A_NEW", "2026-01-02T00:00:00Z")))

    assert found.book.changes["new_value"].tolist() == ["NEW", "SENT"]


def test_moments_of_different_zones_become_the_same_utc(take, moment):
    found = take(
        trace(
            event("A_NEW", "2026-01-02T10:00:00.000+01:00"),
            event("O_SENT", "2026-01-02T11:00:00+02:00"),
            born="2026-01-01T01:00:00+01:00",
        )
    )

    assert found.book.deals["created_at"].tolist() == [moment("2026-01-01")]
    assert found.book.changes["recorded_at"].tolist() == [moment("2026-01-02T09:00")]
    assert found.book.activities["recorded_at"].tolist() == [moment("2026-01-02T09:00:00.000001")]


def test_a_moment_without_a_zone_is_quarantined(take):
    found = take(trace(event("A_NEW", "2026-01-02T09:00:00")))

    assert refused(found) == [
        [
            "events",
            "case d1, event 1",
            "d1",
            "time:timestamp",
            "2026-01-02T09:00:00",
            "has no time zone",
        ]
    ]


def test_a_moment_without_a_zone_is_read_in_the_zone_of_the_mapping(take, moment):
    found = take(
        trace(
            event("A_NEW", "2026-07-02T09:00:00"), event("A_OLD", "2025-12-02T09:00:00Z"), born="2025-12-01T00:00:00"
        ),
        with_mapping=mapping(timezone="Europe/Amsterdam"),
    )

    assert found.book.deals["created_at"].tolist() == [moment("2025-11-30T23:00")]
    assert found.book.changes["recorded_at"].tolist() == [moment("2025-12-02T09:00")]
    assert refused(found) == [
        ["changes", "case d1, event 1", "d1", "recorded_at", "2026-07-02 07:00:00+00:00", "is in the future"]
    ]


@pytest.mark.parametrize(
    ("local", "utc"), [("2025-03-30T02:30:00", "2025-03-30T01:00"), ("2025-10-26T02:30:00", "2025-10-26T01:30")]
)
def test_an_hour_the_clock_skips_is_moved_forward_and_one_it_repeats_is_the_second(take, moment, local, utc):
    found = take(trace(born=local), with_mapping=mapping(timezone="Europe/Amsterdam"))

    assert found.book.deals["created_at"].tolist() == [moment(utc)]


@pytest.mark.parametrize("text", ["noon", "", "now", "today"])
def test_an_event_with_an_unreadable_moment_is_quarantined(take, text):
    found = take(trace(event("A_NEW", text)), with_mapping=mapping(timezone="UTC"))

    assert refused(found) == [
        ["events", "case d1, event 1", "d1", "time:timestamp", text or "nothing", "is not a moment in ISO 8601"]
    ]


def test_an_event_without_a_moment_is_quarantined(take):
    assert refused(take(trace(event("A_NEW", None))))[0][3:] == [
        "time:timestamp",
        "nothing",
        "is not a moment in ISO 8601",
    ]


def test_an_event_without_a_name_is_quarantined(take):
    assert refused(take(trace(event(None, "2026-01-02T09:00:00Z")))) == [
        ["events", "case d1, event 1", "d1", "concept:name", "nothing", "is required"]
    ]


def test_an_event_the_mapping_does_not_name_is_quarantined_and_its_deal_kept(take):
    found = take(trace(event("X_ODD", "2026-01-02T09:00:00Z")))

    assert refused(found) == [
        ["events", "case d1, event 1", "d1", "concept:name", "X_ODD", "is not named by the mapping"]
    ]
    assert found.book.deals["deal_id"].tolist() == ["d1"]


def test_a_deal_without_created_at_is_created_at_its_first_event(take, moment):
    events = event("A_SENT", "2026-01-03T00:00:00Z"), event("A_NEW", "2026-01-02T00:00:00Z")

    assert take(trace(*events, born=None)).book.deals["created_at"].tolist() == [moment("2026-01-02")]


def test_a_deal_without_created_at_and_events_is_quarantined(take):
    found = take(trace(), trace(id="d2", born=None))

    assert refused(found) == [["deals", "trace 2", "d2", "born", "nothing", "is missing, and the case has no event"]]


def test_where_no_case_attribute_is_the_creation_it_is_the_first_event(take, moment):
    found = take(
        trace(event("A_NEW", "2026-01-02T00:00:00Z")),
        trace(id="d2"),
        with_mapping=mapping(case={"deal_id": "id"}),
    )

    assert found.book.deals["created_at"].tolist() == [moment("2026-01-02")]
    assert refused(found) == [
        ["deals", "trace 2", "d2", "created_at", "nothing", "is missing, and the case has no event"]
    ]


def test_an_unreadable_created_at_is_quarantined_with_the_deals_events(take):
    found = take(trace(), trace(event("A_NEW", "2026-01-02T00:00:00Z"), id="d2", born="early"))

    assert refused(found) == [
        ["deals", "trace 2", "d2", "born", "early", "is not a moment in ISO 8601"],
        ["events", "trace 2, event 1", "d2", "concept:name", "A_NEW", "belongs to no admitted deal"],
    ]


def test_an_amount_that_is_no_number_is_quarantined_with_the_deals_events(take):
    found = take(trace(), trace(event("A_NEW", "2026-01-02T00:00:00Z"), id="d2", sum="12,50"))

    assert refused(found)[0] == ["deals", "trace 2", "d2", "sum", "12,50", "is not a number"]
    assert [row[1] for row in refused(found)] == ["trace 2", "trace 2, event 1"]


def test_an_unreadable_event_of_a_refused_case_is_counted_once(take):
    found = take(trace(), trace(event("A_NEW", "noon"), event(None, "noon"), id="d2", sum="12,50"))

    assert [row[1:2] + row[4:] for row in refused(found)] == [
        ["trace 2", "12,50", "is not a number"],
        ["trace 2, event 1", "A_NEW", "belongs to no admitted deal"],
        ["trace 2, event 2", "nothing", "belongs to no admitted deal"],
    ]


def test_a_missing_amount_does_not_cost_the_deal(take):
    assert take(trace(sum=None)).book.deals["amount"].isna().tolist() == [True]


def test_a_negative_amount_is_quarantined(take):
    assert refused(take(trace(), trace(id="d2", sum="-5"))) == [
        ["deals", "trace 2", "d2", "amount", "-5.0", "must be a finite amount of 0 or more"]
    ]


def test_a_case_without_an_id_is_quarantined_with_its_events(take):
    found = take(trace(), trace(event("A_NEW", "2026-01-02T00:00:00Z"), id=None))

    assert [row[0] for row in refused(found)] == ["deals", "events"]
    assert refused(found)[0] == ["deals", "trace 2", "", "id", "nothing", "is required"]


def test_of_two_cases_with_one_id_the_first_is_kept(take):
    found = take(trace(event("A_NEW", "2026-01-02T00:00:00Z")), trace(event("A_OLD", "2026-01-03T00:00:00Z"), sum="5"))

    assert found.book.deals["amount"].tolist() == [900.0]
    assert found.book.changes["new_value"].tolist() == ["NEW"]
    assert refused(found)[0] == ["deals", "trace 2", "d1", "id", "d1", "repeats a key"]
    assert refused(found)[1][-2:] == ["A_OLD", "belongs to no admitted deal"]


def test_an_event_of_a_repeated_case_is_named_by_the_mappings_own_key(take):
    found = take(
        trace(),
        trace(event(None, "2026-01-03T00:00:00Z", activity="A_OLD")),
        with_mapping=mapping(event={"name": "activity"}),
    )

    assert refused(found)[1][3:5] == ["activity", "A_OLD"]


def test_a_deal_closed_before_it_was_created_is_quarantined_with_its_events(take):
    found = take(trace(), trace(event("A_SIGNED", "2025-12-30T00:00:00Z"), id="d2"))

    assert refused(found) == [
        ["deals", "trace 2", "d2", "closed_at", "2025-12-30 00:00:00+00:00", "is before created_at"],
        ["changes", "case d2, event 1", "d2", "deal_id", "d2", "belongs to no admitted deal"],
    ]


def test_a_deal_created_in_the_future_is_quarantined(take):
    assert refused(take(trace(), trace(id="d2", born="2026-03-01T00:00:00Z"))) == [
        ["deals", "trace 2", "d2", "created_at", "2026-03-01 00:00:00+00:00", "is in the future"]
    ]


def test_an_activity_recorded_in_the_future_is_quarantined_and_its_deal_kept(take):
    found = take(trace(event("O_SENT", "2026-03-01T00:00:00Z")))

    assert refused(found) == [
        ["activities", "case d1, event 1", "d1", "recorded_at", "2026-03-01 00:00:00+00:00", "is in the future"]
    ]
    assert found.book.deals["deal_id"].tolist() == ["d1"]


def test_the_case_attributes_named_by_the_mapping_are_fixed_at_creation(take):
    case = {
        "deal_id": "id",
        "amount": "AMOUNT",
        "attributes": {"region": "land"},
        "fixed_at_creation": ["amount"],
        "owner_id": "seller",
    }
    found = take(
        trace(event("A_NEW", "2026-01-02T00:00:00Z"), land="north", seller="ann"), with_mapping=mapping(case=case)
    )

    assert found.book.deals[["region", "owner_id"]].to_numpy().tolist() == [["north", "ann"]]
    assert found.book.manifest.fixed_at_creation == ("amount", "region")


def test_the_manifest_counts_what_came_in_what_is_used_and_what_is_not(take):
    found = take(trace(event("A_NEW", "2026-01-02T00:00:00Z"), event("X", "2026-01-02T00:00:00Z")), trace())
    manifest = found.book.manifest

    assert manifest.rows_in == {"traces and events": 4}
    assert manifest.rows_used == {"deals": 1, "changes": 1, "activities": 0, "contacts": 0, "accounts": 0}
    assert manifest.rows_quarantined == {"events": 1, "deals": 1}
    assert (manifest.source, manifest.currency) == ("xes log.xes", "EUR")


def test_a_gzipped_log_says_what_a_plain_one_says(tmp_path, take):
    plain = take(trace(event("A_NEW", "2026-01-02T00:00:00Z")))
    (tmp_path / "log.xes.gz").write_bytes(gzip.compress((tmp_path / "log.xes").read_bytes()))
    zipped = import_xes(tmp_path / "log.xes.gz", mapping(), NOW)

    for name, rows in plain.book.tables().items():
        pd.testing.assert_frame_equal(zipped.book.tables()[name], rows)


def test_progress_is_told_the_number_of_traces_at_the_end(tmp_path):
    (tmp_path / "log.xes").write_text("<log><trace/><trace/></log>")
    told = []

    assert (list(read_traces(tmp_path / "log.xes", told.append)), told) == ([({}, []), ({}, [])], [2])


def test_attributes_of_nested_elements_are_not_the_traces(tmp_path):
    nested = (
        '<string key="a" value="1"><string key="b" value="2"/></string><list key="c"><string key="d" value="3"/></list>'
    )
    (tmp_path / "log.xes").write_text(f"<log><trace>{nested}</trace></log>")

    assert list(read_traces(tmp_path / "log.xes")) == [({"a": "1"}, [])]


WHOLE = f"<log>{trace()}</log>".encode()
BAD_BLOCK = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03" + b"\xff" * 20


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "must be a complete XES log, found: no element found"),
        (gzip.compress(b""), "must be a complete XES log, found: no element found"),
        (WHOLE[:-8], r"must be a complete XES log, found: expected '>'.*\(after 0 traces\)"),
        (
            gzip.compress(WHOLE)[:-12],
            "must be a complete XES log, found: Compressed file ended before the end-of-stream marker",
        ),
        (gzip.compress(WHOLE)[:-8] + bytes(8), "must be a complete XES log, found: CRC check failed"),
        (BAD_BLOCK, "must be a complete XES log, found: .*invalid"),
        (b"hello", "must be a complete XES log, found: Start tag expected, '<' not found"),
        (b"<html><body/></html>", "must be an XES log with traces, found none"),
        (b"<log/>", "must be an XES log with traces, found none"),
    ],
    ids=["empty", "empty gzip", "cut", "cut gzip", "wrong CRC", "damaged gzip", "not XML", "HTML", "no traces"],
)
def test_a_file_that_is_no_whole_log_says_so(tmp_path, data, says):
    (tmp_path / "log.xes").write_bytes(data)

    with pytest.raises(DataError, match=f"log.xes: {says}.*Nothing was written"):
        import_xes(tmp_path / "log.xes", mapping(), NOW)


def test_the_damaged_gzip_of_these_tests_is_one_zlib_refuses():
    with pytest.raises(zlib.error, match="invalid"):
        gzip.decompress(BAD_BLOCK)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(DataError, match=r"gone.xes: must be a file, found none. Name an XES log \(.xes or .xes.gz\)"):
        import_xes(tmp_path / "gone.xes", mapping(), NOW)


def test_a_log_without_a_usable_case_says_what_is_wrong_with_the_first(take):
    with pytest.raises(
        DataError, match=r"no case can be used as a deal. The first: trace 1, id is required \(found nothing\)"
    ):
        take(trace(id=None))


def test_a_log_whose_every_deal_breaks_a_rule_is_refused(take):
    with pytest.raises(BookError, match=r"no deal can be used. The first: row trace 1, created_at is in the future"):
        take(trace(born="2026-03-01T00:00:00Z"))


def test_a_comment_in_a_trace_is_passed_over(take):
    found = take(trace("<!-- one -->", event("A_NEW", "2026-01-02T00:00:00Z")))

    assert found.book.changes["new_value"].tolist() == ["NEW"]


def test_an_external_entity_is_not_followed(tmp_path, take):
    (tmp_path / "secret").write_text("secret")
    entity = f'<!DOCTYPE log [<!ENTITY x SYSTEM "{tmp_path / "secret"}">]>'
    (tmp_path / "log.xes").write_text(f'{entity}<log><trace><string key="id" value="d1"/>&x;</trace></log>')

    assert list(read_traces(tmp_path / "log.xes")) == [({"id": "d1"}, [])]


def test_the_shared_log_is_imported_whole(bpic2012):
    assert (len(bpic2012.book.deals), bpic2012.rows_in - len(bpic2012.book.deals)) == (8_766, 161_584)
    assert (bpic2012.rows_used, len(bpic2012.quarantine)) == (8_766 + 161_584, 0)


def test_the_shared_log_books_hours_within_the_clip(bpic2012):
    done = bpic2012.book.activities.query("status == 'done'")

    assert (done["hours"].min(), done["hours"].max()) == (0.0, 1.0)
