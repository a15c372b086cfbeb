"""Requests: answers, promises, and what a crash or a race leaves behind."""

from datetime import timedelta
from typing import Any

import pytest

from services.pricing.allotments import Allotment
from services.pricing.quotes import Quote
from services.pricing.sourcing import Places
from shared.contracts.catalog import Location
from tests.unit.pricing.builders import line, money, product, promotion
from tests.unit.pricing.service import Crash, Shop, ask, release


async def test_an_order_is_priced_and_promised() -> None:
    shop = Shop({"mug": 5})
    process = shop.process()
    given = ask(quantity=2)

    await process.take(given)

    [answer] = process.answers()
    assert (answer.order_id, answer.request_id) == ("O-1", given.id)
    assert (answer.promised, answer.errors) == (True, [])
    assert answer.pricing is not None
    assert answer.pricing.total == 20
    assert (shop.left(), shop.held("O-1")) == ({"*": 3}, 2)


async def test_what_is_not_counted_is_promised_without_end() -> None:
    shop = Shop()
    shop.allotments.put("inventory/cup", Allotment(enabled=False, records={"*": 0}))
    process = shop.process()

    await process.take(ask(line_items=[line("mug", 1000), line("cup", 1000)]))

    assert process.answers()[0].promised
    assert shop.quotes.state("O-1") == Quote(
        request_id=process.answers()[0].request_id, promised=True
    )


async def test_orders_can_exceed_stock_where_it_says_so() -> None:
    shop = Shop()
    shop.allotments.put("inventory/mug", Allotment(order_can_exceed=True, records={"*": 1}))
    process = shop.process()

    await process.take(ask(quantity=4))
    await process.take(release())

    assert process.answers()[0].promised
    assert shop.left() == {"*": 1}


async def test_an_order_that_cannot_have_all_has_nothing() -> None:
    shop = Shop({"mug": 5, "cup": 1})
    process = shop.process()

    await process.take(ask(line_items=[line("mug", 2), line("cup", 2)]))

    [answer] = process.answers()
    assert [error.error_code for error in answer.errors] == ["Inventory.Insufficient"]
    assert not answer.promised
    assert (shop.left("mug"), shop.left("cup")) == ({"*": 5}, {"*": 1})
    assert shop.allotments.saves == []


async def test_errors_of_price_and_stock_come_together() -> None:
    shop = Shop({"mug": 1})
    process = shop.process()

    await process.take(ask(quantity=2, payments_total=money(1)))

    assert [error.error_code for error in process.answers()[0].errors] == [
        "Order.PaymentsDoNotCoverTotal",
        "Inventory.Insufficient",
    ]


@pytest.mark.parametrize("fields", [{"hold": True}, {"approval_above": money("9.99")}])
async def test_an_order_on_hold_or_awaiting_approval_is_promised_nothing(
    fields: dict[str, Any],
) -> None:
    shop = Shop({"mug": 5})
    process = shop.process()

    await process.take(ask(**fields))

    [answer] = process.answers()
    assert (answer.promised, answer.errors) == (False, [])
    assert answer.pricing is not None
    assert shop.left() == {"*": 5}


async def test_an_order_at_the_approval_limit_needs_none() -> None:
    process = Shop().process()

    await process.take(ask(approval_above=money("10.00")))

    assert process.answers()[0].promised


async def test_an_order_that_was_priced_before_only_gets_its_promise() -> None:
    limited = promotion(redemption_limit=1)
    shop = Shop({"mug": 5}, promotions=[limited])
    process = shop.process()
    await process.take(ask(quantity=2, promotions=["TEN"], approval_above=money(1)))
    pricing = process.answers()[0].pricing
    shop.reference = Shop(products=[product(active=False)], promotions=[limited]).reference

    await process.take(ask(quantity=2, priced=pricing))
    await process.take(ask("O-2", quantity=2, priced=pricing))

    _, promised, refused = process.answers()
    assert promised.promised
    assert promised.pricing == pricing
    assert [error.error_code for error in refused.errors] == ["Promotion.ExceedsUsageLimit"]
    assert shop.left() == {"*": 3}


async def test_sources_are_on_the_lines() -> None:
    shop = Shop()
    shop.places = Places("marketplace", {"W1": Location(id="W1")})
    shop.allotments.put("inventory/mug", Allotment(records={"W1": 2, "*": 9}))
    process = shop.process()

    await process.take(ask(quantity=3))

    pricing = process.answers()[0].pricing
    assert pricing is not None
    assert [(s.location_id, s.quantity) for s in pricing.line_items[0].sources or ()] == [("W1", 2)]
    assert shop.left() == {"W1": 0, "*": 8}


async def test_one_batch_is_one_write_of_a_hot_product() -> None:
    shop = Shop({"mug": 50})
    process = shop.process()

    await process.take(*(ask(f"O-{n}") for n in range(60)))

    assert sum(answer.promised for answer in process.answers()) == 50
    assert shop.allotments.saves == [["inventory/mug"]]
    assert len(shop.quotes.saves) == 1


async def test_an_order_placed_and_released_in_one_batch_leaves_nothing() -> None:
    shop = Shop({"mug": 5})
    process = shop.process()

    await process.take(ask(quantity=2), release(), ask("O-2", 5))

    assert [answer.promised for answer in process.answers()] == [True, False]
    assert shop.left() == {"*": 5}


async def test_giving_back_happens_once() -> None:
    shop = Shop({"mug": 5})
    process = shop.process()
    await process.take(ask(quantity=2))

    await process.take(release())
    await process.take(release())
    await process.take(release("O-unknown"))

    assert shop.left() == {"*": 5}
    assert shop.held("O-1") == 0


async def test_a_newer_request_replaces_what_an_order_holds() -> None:
    shop = Shop({"mug": 5, "cup": 5})
    process = shop.process()
    await process.take(ask(quantity=4))

    await process.take(ask(line_items=[line("mug", 5), line("cup", 1)]))
    assert (shop.left("mug"), shop.left("cup")) == ({"*": 0}, {"*": 4})

    await process.take(ask(line_items=[line("cup", 2)]))
    assert (shop.left("mug"), shop.left("cup")) == ({"*": 5}, {"*": 3})

    await process.take(ask(line_items=[line("cup", 9)]))
    assert (shop.left("mug"), shop.left("cup")) == ({"*": 5}, {"*": 5})
    assert shop.held("O-1", "inventory/cup") == 0


async def test_movements_are_dropped_once_their_quote_is_written() -> None:
    shop = Shop({"mug": 5})
    process = shop.process()
    await process.take(ask("O-1"))
    assert shop.pending() == ["O-1"]

    await process.take(ask("O-2"))

    assert shop.pending() == ["O-2"]


async def test_another_processs_movements_are_dropped_when_they_are_old() -> None:
    shop = Shop({"mug": 5})
    await shop.process().take(ask("O-1"))
    other = shop.process()

    await other.take(ask("O-2"))
    assert shop.pending() == ["O-1", "O-2"]

    shop.clock.advance(61)
    await other.take(ask("O-3"))
    assert shop.pending() == ["O-3"]
    assert shop.left() == {"*": 2}


@pytest.mark.parametrize("after_write", [False, True])
@pytest.mark.parametrize("where", ["allotments", "quotes", "publish"])
async def test_doing_it_again_after_a_crash_grants_once(where: str, after_write: bool) -> None:
    shop = Shop({"mug": 5})
    first = shop.process()
    given = ask(quantity=2)
    target = {
        "allotments": shop.allotments,
        "quotes": shop.quotes,
        "publish": first.publisher,
    }[where]
    target.fail_next(Crash(), after_write=after_write)
    with pytest.raises(Crash):
        await first.take(given)

    second = shop.process()
    await second.take(given)

    [answer] = second.answers()
    assert answer.promised
    assert (shop.left(), shop.held("O-1")) == ({"*": 3}, 2)


async def test_a_crash_while_giving_back_gives_back_once() -> None:
    shop = Shop({"mug": 5})
    await shop.process().take(ask(quantity=2))
    given_back = release()
    shop.quotes.fail_next(Crash(), after_write=False)
    with pytest.raises(Crash):
        await shop.process().take(given_back)

    await shop.process().take(given_back)

    assert (shop.left(), shop.held("O-1")) == ({"*": 5}, 0)


async def test_what_a_crash_left_granted_is_given_back_when_the_order_is_refused_after_all() -> (
    None
):
    shop = Shop({"mug": 5})
    given = ask(quantity=2)
    shop.quotes.fail_next(Crash(), after_write=False)
    with pytest.raises(Crash):
        await shop.process().take(given)
    shop.reference = Shop(products=[product(active=False)]).reference

    await shop.process().take(given)

    assert (shop.left(), shop.held("O-1")) == ({"*": 5}, 0)


async def test_a_lost_race_for_one_of_two_products_keeps_or_returns_the_other() -> None:
    shop = Shop({"mug": 5, "cup": 5})
    process = shop.process()
    shop.allotments.lose_next(["inventory/cup"])

    await process.take(ask(line_items=[line("mug", 2), line("cup", 2)]))

    assert process.answers()[0].promised
    assert (shop.left("mug"), shop.left("cup")) == ({"*": 3}, {"*": 3})


async def test_a_movement_that_the_quote_does_not_note_is_undone() -> None:
    shop = Shop({"mug": 5})
    given = ask(quantity=2)
    await shop.process().take(given)
    process = shop.process()
    shop.clock.advance(61)
    await process.take(ask("O-2"))  # drops the movement of O-1

    # A process that has read the quote before it was written grants once more …
    stale = Shop()
    stale.allotments, stale.clock = shop.allotments, shop.clock
    stale.quotes.fail_next(Crash(), after_write=False)
    with pytest.raises(Crash):
        await stale.process().take(given)
    assert shop.left() == {"*": 0}

    # … and what it took comes back, because O-1's quote has applied the request without it.
    shop.clock.advance(61)
    await process.take(ask("O-3"))

    assert shop.left() == {"*": 1}


async def test_a_process_that_is_behind_moves_nothing() -> None:
    shop = Shop({"mug": 5})
    first, second = ask(quantity=2), ask(quantity=3)
    await shop.process().take(first)
    shop.quotes.fail_next(Crash(), after_write=False)
    with pytest.raises(Crash):
        await shop.process().take(second)

    # It has read the quote before the first request was applied.
    behind = Shop()
    behind.allotments = shop.allotments
    await behind.process().take(first)
    await shop.process().take(second)

    assert (shop.left(), shop.held("O-1")) == ({"*": 2}, 3)


async def test_a_request_that_was_set_aside_keeps_nothing_for_ever() -> None:
    shop = Shop({"mug": 5})
    shop.quotes.fail_next(Crash(), after_write=False)
    with pytest.raises(Crash):
        await shop.process().take(ask(quantity=2))
    process = shop.process()

    shop.clock.advance(timedelta(hours=23))
    await process.take(ask("O-2"))
    assert shop.left() == {"*": 2}

    shop.clock.advance(timedelta(hours=2))
    await process.take(ask("O-3"))
    assert shop.left() == {"*": 3}


async def test_redelivery_answers_the_same_and_changes_nothing() -> None:
    shop = Shop({"mug": 5})
    process = shop.process()
    given = ask(quantity=2)
    await process.take(given)
    before = shop.quotes.documents(), shop.allotments.documents()

    other = shop.process()
    await other.take(given)

    assert (shop.quotes.documents(), shop.allotments.documents()) == before
    assert [entry.id for entry in other.publisher.entries] == [
        entry.id for entry in process.publisher.entries
    ]


async def test_a_promotion_is_redeemed_within_its_limits() -> None:
    shop = Shop(promotions=[promotion(redemption_limit=2, redemption_limit_per_user=1)])
    process = shop.process()

    def by(order: str, user: str | None) -> Any:
        return ask(order, promotions=["TEN"], user_id=user)

    await process.take(by("O-1", "ada"), by("O-2", "ada"), by("O-3", None), by("O-4", "bob"))

    answers = process.answers()
    assert [answer.promised for answer in answers] == [True, False, True, False]
    assert [[error.data for error in answer.errors] for answer in (answers[1], answers[3])] == [
        [{"PromotionID": "id-TEN", "Code": "TEN", "RedemptionLimitPerUser": 1}],
        [{"PromotionID": "id-TEN", "Code": "TEN", "RedemptionLimit": 2}],
    ]
    assert set(shop.allotments.documents()) == {
        "promotion/id-TEN",
        "promotion/id-TEN/user/acme",
        "promotion/id-TEN/user/acme/ada",
    }
    await process.take(release("O-1"), by("O-5", "bob"))
    assert process.answers()[-1].promised


async def test_a_promotion_without_limits_is_not_counted() -> None:
    shop = Shop(promotions=[promotion()])

    await shop.process().take(ask(promotions=["TEN"]))

    assert shop.allotments.documents() == {}
