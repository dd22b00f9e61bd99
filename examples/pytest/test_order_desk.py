from unittest.mock import Mock, call

from order_desk import answer


def test_tells_what_the_function_has_found(foundry):
    get_order = Mock(return_value={"state": "shipped"})
    assert "shipped" in answer(foundry, "Where is order A-1001? Look it up.", get_order)
    get_order.assert_called_once_with(number="A-1001")


def test_calls_the_function_again_when_the_model_wants_it(foundry, bloomery_project):
    def get(number):
        return {"tool_calls": [{"name": "get_order", "arguments": {"number": number}}]}

    bloomery_project.scenarios(
        {"when": {"input": "both"}, "reply": get("A-1")},
        {"when": {"tool_output": "first"}, "reply": get("A-2")},
        {"when": {"tool_output": "second"}, "reply": {"text": "Both are on their way."}},
    )
    get_order = Mock(side_effect=[{"order": "first"}, {"order": "second"}])
    assert answer(foundry, "Where are both my orders?", get_order) == "Both are on their way."
    assert get_order.mock_calls == [call(number="A-1"), call(number="A-2")]


def test_waits_as_it_is_told_when_the_service_is_busy(foundry, bloomery_project):
    bloomery_project.faults({"fault": "status", "status": 429, "retryAfterSeconds": 1, "when": {"first": 1}})
    get_order = Mock(return_value={"state": "shipped"})
    assert "shipped" in answer(foundry, "Where is order A-1001? Look it up.", get_order)
    get_order.assert_called_once()
    assert [struck["fault"] for struck in bloomery_project.struck()] == ["status"]
