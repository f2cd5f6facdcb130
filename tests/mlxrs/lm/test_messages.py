import pytest

from mlxrs.lm.messages import ChatMessage, Role


@pytest.mark.parametrize("role", ["system", "user", "assistant", "tool"])
def test_a_role_reads_as_its_text(role):
    assert str(Role(role)) == f"{Role(role)}" == role


@pytest.mark.parametrize("role", ["system", "user", "assistant", "tool"])
def test_each_constructor_sets_its_role_and_keeps_the_text(role):
    message = getattr(ChatMessage, role)("  hi\n")

    assert message.role is Role(role)
    assert message.content == "  hi\n"


def test_messages_are_equal_by_value():
    assert ChatMessage(Role.TOOL, "owned") == ChatMessage("tool", "owned")
    assert ChatMessage.tool("owned") == ChatMessage(Role.TOOL, "owned")
    assert ChatMessage.tool("owned") != ChatMessage.user("owned")


def test_an_unknown_role_is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match="one of system, user, assistant, tool, got 'robot'"):
        ChatMessage("robot", "hi")


def test_content_must_be_text_or_parts():
    with pytest.raises(TypeError, match="content must be a str or a list of mappings, got bytes"):
        ChatMessage.user(b"hi")
    with pytest.raises(TypeError, match="got list"):
        ChatMessage.user(["hi"])


@pytest.mark.parametrize("part", [{}, {"text": "hi"}, {"type": "text"}, {"type": 3}])
def test_a_part_must_say_what_it_is(part):
    with pytest.raises(ValueError, match="a part of a message must be like"):
        ChatMessage.user([part])


def test_parts_stay_a_list_and_text_is_what_they_say():
    parts = [{"type": "text", "text": "see "}, {"type": "image"}, {"type": "text", "text": "this"}]
    message = ChatMessage.user(parts)
    parts.clear()

    assert message.text == "see this" and len(message.content) == 3
    assert message.to_dict() == {"role": "user", "content": message.content}
    assert ChatMessage.user("hi").text == ChatMessage.user("hi").content == "hi"
