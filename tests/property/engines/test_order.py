from __future__ import annotations

import pytest

from yemot_ai_testing.errors import OrderSyntaxError
from yemot_ai_testing.property.engines.order import (
    Cancellation,
    Order,
    Size,
    order_of_seed,
    task_priority,
)

ORDERS = (
    Order(),
    Order("chance", 7),
    Order("priorities", 7, changes=(3, 17)),
    Order(changes=(0,)),
    Order("priorities", 0, (1,), Cancellation("worker", 2, 5, "before")),
    Order(cancellation=Cancellation("Task-7", 1, 1)),
)


@pytest.mark.parametrize("order", ORDERS, ids=str)
def test_the_text_of_an_order_is_read_back(order: Order) -> None:
    assert Order.parse(str(order)) == order


@pytest.mark.parametrize(
    "text",
    ["", "priorities", "chance", "arrival, changes", "priorities x", "7", "arrival, cancel worker 2 5"],
)
def test_another_text_is_an_error_that_shows_how_to_write_one(text: str) -> None:
    with pytest.raises(OrderSyntaxError, match="priorities 7, changes 3 9") as caught:
        Order.parse(text)
    assert caught.value.text == text


def test_consecutive_seeds_mix_all_strategies() -> None:
    orders = [order_of_seed(seed) for seed in range(100, 120)]

    assert {order.strategy for order in orders} == {"priorities", "chance"}
    assert {len(order.changes) for order in orders} == {0, 1, 2, 3}


@pytest.mark.parametrize("size", [None, Size(4, 13), Size(1, 0), Size(0, 0), Size(9, 500)])
def test_every_seed_has_an_order(size: Size | None) -> None:
    for seed in (*range(-30, 30), 2**40, -(2**40)):
        order = order_of_seed(seed, size=size, cancels="worker")
        assert Order.parse(str(order)) == order
        assert list(order.changes) == sorted(set(order.changes))
        assert order == order_of_seed(seed, size=size, cancels="worker")


def test_change_points_come_within_the_steps_that_an_earlier_run_had() -> None:
    changes = [order_of_seed(seed, size=Size(4, 13)).changes[:1] for seed in range(300)]

    assert {change for first in changes for change in first} == set(range(13))


def test_each_task_begins_in_its_turn() -> None:
    orders = [order_of_seed(seed, size=Size(5, 13)) for seed in range(60)]
    begins = [
        max(range(5), key=lambda number: task_priority(order.seed, number))
        for order in orders
        if order.changes
    ]

    assert all(begins.count(task) >= 7 for task in range(5))


def test_the_second_seed_of_a_pair_has_the_reverse_priorities() -> None:
    first, second = ([task_priority(seed, number) for number in range(9)] for seed in (40, 41))

    assert sorted(range(9), key=first.__getitem__) == sorted(range(9), key=second.__getitem__, reverse=True)


def test_seeds_cancel_a_task_only_if_one_is_named() -> None:
    unnamed = [order_of_seed(seed).cancellation for seed in range(60)]
    named = [order_of_seed(seed, cancels="worker").cancellation for seed in range(60)]

    assert set(unnamed) == {None}
    found = [one for one in named if one is not None]
    assert len(found) == 20
    assert {(one.name, one.moment) for one in found} == {("worker", "before"), ("worker", "after")}
