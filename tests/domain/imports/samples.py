"""Conversations in the forms in which other systems export them."""

from __future__ import annotations

from typing import Any

ROOT = "00000000-0000-0000-0000-000000000000"


def chatgpt(**changes: Any) -> dict[str, Any]:
    """A conversation of ChatGPT: a question with a picture, reasoning, a tool, an answer, and an edited question."""

    def node(key: str, parent: str | None, role: str, content: dict[str, Any], **facts: Any) -> dict[str, Any]:
        said = {
            "id": key, "author": {"role": role, "name": None, "metadata": {}}, "create_time": facts.pop("at", 1735732800.5),
            "content": content, "status": "finished_successfully", "end_turn": True, "weight": 1.0,
            "recipient": facts.pop("recipient", "all"), "metadata": facts, "channel": None,
        }  # fmt: skip
        return {"id": key, "message": said, "parent": parent, "children": []}

    def text(*parts: Any) -> dict[str, Any]:
        return {"content_type": "text", "parts": list(parts)}

    picture = {
        "content_type": "image_asset_pointer",
        "asset_pointer": "file-service://file-abc",
        "width": 10,
        "height": 10,
    }
    cite = "\ue200cite\ue202turn0search0\ue201"
    mapping = {
        "client-created-root": {"id": "client-created-root", "message": None, "parent": None, "children": ["system"]},
        "system": node("system", "client-created-root", "system", text(""), is_visually_hidden_from_conversation=True),
        "context": node("context", "system", "user", {"content_type": "user_editable_context", "user_profile": "secret"}),
        "q1": node("q1", "context", "user", {"content_type": "multimodal_text", "parts": [picture, "What is this?"]},
                   attachments=[{"id": "file-abc", "name": "photo.png", "mime_type": "image/png"}], at=1735732801),
        "thoughts": node("thoughts", "q1", "assistant", {"content_type": "thoughts", "thoughts": [
            {"summary": "Looking", "content": "It has wings."}]}, model_slug="gpt-5-thinking", at=1735732802),
        "call": node("call", "thoughts", "assistant", {"content_type": "code", "language": "json", "text": '{"q": "bird"}'},
                     recipient="web.run", at=1735732803),
        "tool": node("tool", "call", "tool", text("results"), at=1735732804),
        "recap": node("recap", "tool", "assistant", {"content_type": "reasoning_recap", "content": "Thought for 3s"}),
        "a1": node("a1", "recap", "assistant", text(f"A **bird**{cite}."), model_slug="gpt-5-thinking", at=1735732805,
                   content_references=[{"matched_text": cite, "alt": " ([Birds](https://birds.example))"}]),
        "q2": node("q2", "a1", "user", text("Which one?"), at=1735732810),
        "a2": node("a2", "q2", "assistant", text("A robin."), model_slug="gpt-4o", at=1735732811),
        "q2b": node("q2b", "a1", "user", text("How old?"), at=1735732820),
        "a2b": node("a2b", "q2b", "assistant", text("Two years."), model_slug="gpt-4o", at=1735732821),
    }  # fmt: skip
    return {
        "title": "Bird in a photo", "create_time": 1735732800.123, "update_time": 1735732830.5, "mapping": mapping,
        "moderation_results": [], "current_node": "a2", "plugin_ids": None, "conversation_id": "6775c0a0-1111-8000-9000-aaaaaaaaaaaa",
        "conversation_template_id": None, "gizmo_id": None, "is_archived": False, "safe_urls": [],
        "default_model_slug": "gpt-4o", "id": "6775c0a0-1111-8000-9000-aaaaaaaaaaaa",
    } | changes  # fmt: skip


def claude(*, tree: bool = True, **changes: Any) -> dict[str, Any]:
    """A conversation of Claude with an attached text, reasoning, an artifact and a second version of an answer."""

    def said(key: str, parent: str, sender: str, *blocks: dict[str, Any], **facts: Any) -> dict[str, Any]:
        words = "\n".join(block.get("text", "") for block in blocks)
        found = {
            "uuid": key, "text": words, "content": list(blocks), "sender": sender, "created_at": f"2025-02-03T10:00:0{key[-1]}.123456Z",
            "updated_at": "2025-02-03T10:00:00.123456Z", "attachments": [], "files": [],
        } | facts  # fmt: skip
        return found | ({"parent_message_uuid": parent} if tree else {})

    def text(words: str) -> dict[str, Any]:
        return {"type": "text", "text": words, "citations": []}

    artifact = {"type": "tool_use", "name": "artifacts", "input": {
        "command": "create", "id": "sum", "title": "Sum", "language": "python", "content": "print(1 + 1)"}}  # fmt: skip
    messages = [
        said("m1", "00000000-0000-4000-8000-000000000000", "human", text("Sum up"),
             attachments=[{"file_name": "paste.txt", "file_type": "txt", "file_size": 9, "extracted_content": "one\n```\ntwo"}],
             files=[{"file_name": "scan.pdf"}]),
        said("m2", "m1", "assistant", {"type": "thinking", "thinking": "Two lines."}, text("Two lines:"), artifact,
             {"type": "tool_result", "name": "artifacts", "content": [{"type": "text", "text": "OK"}]}),
    ]  # fmt: skip
    if tree:
        messages.append(said("m3", "m1", "assistant", text("One and two.")))
    return {
        "uuid": "c1a0de00-0000-4000-8000-000000000001", "name": "A summary", "summary": "", "created_at": "2025-02-03T09:59:00.000000Z",
        "updated_at": "2025-02-03T10:01:00.000000Z", "account": {"uuid": "x"}, "chat_messages": messages,
    } | changes  # fmt: skip


def open_webui(**changes: Any) -> dict[str, Any]:
    """A chat of Open WebUI: one question to two models, with reasoning and an error."""
    reasoning = (
        '<details type="reasoning" done="true" duration="4">\n<summary>Thought for 4 seconds</summary>\n'
        "&gt; It is &lt;simple&gt;.\n&gt; Yes.\n</details>\nSalt dissolves."
    )
    messages = {
        "u1": {"id": "u1", "parentId": None, "childrenIds": ["a1", "a2"], "role": "user", "content": "Why?", "timestamp": 1740000000,
               "models": ["llama3.2:1b", "qwen3:4b"], "files": [{"type": "file", "name": "salt.pdf"}]},
        "a1": {"id": "a1", "parentId": "u1", "childrenIds": [], "role": "assistant", "content": reasoning, "model": "qwen3:4b",
               "modelName": "qwen3:4b", "modelIdx": 1, "timestamp": 1740000001, "done": True},
        "a2": {"id": "a2", "parentId": "u1", "childrenIds": [], "role": "assistant", "content": "", "model": "llama3.2:1b",
               "error": {"content": "The model is gone."}, "timestamp": 1740000002, "done": True},
    }  # fmt: skip
    return {
        "id": "0b5c1b9e-aaaa-4bbb-8ccc-dddddddddddd", "user_id": "u", "title": "Salt", "updated_at": 1740000010, "created_at": 1740000000,
        "share_id": None, "archived": True, "pinned": True, "meta": {}, "folder_id": None,
        "chat": {"id": "", "title": "Salt", "models": ["llama3.2:1b"], "params": {}, "tags": [], "timestamp": 1740000000123,
                 "history": {"messages": messages, "currentId": "a1"}, "messages": [messages["u1"], messages["a1"]]},
    } | changes  # fmt: skip


def _librechat_message(key: str, parent: str, text: str, *, is_user: bool, **facts: Any) -> dict[str, Any]:
    return {
        "messageId": key, "parentMessageId": parent, "conversationId": "lc-1", "text": text, "isCreatedByUser": is_user,
        "sender": "User" if is_user else "GPT-4o", "model": None if is_user else "gpt-4o", "endpoint": "openAI",
        "createdAt": f"2025-03-04T05:06:0{key[-1]}.000Z", "error": False, "unfinished": False,
    } | facts  # fmt: skip


def librechat(**changes: Any) -> dict[str, Any]:
    """A conversation of LibreChat as a flat list with all branches."""
    messages = [
        _librechat_message("l1", ROOT, "Hi", is_user=True),
        _librechat_message("l2", "l1", "", is_user=False, content=[
            {"type": "think", "think": "A greeting."}, {"type": "text", "text": {"value": "Hello"}}]),
        _librechat_message("l3", "l1", "Good day", is_user=False, unfinished=True),
        _librechat_message("l4", "l2", "And?", is_user=True),
    ]  # fmt: skip
    return {
        "conversationId": "lc-1", "endpoint": "openAI", "title": "Greeting", "exportAt": "05:06:07 GMT+0000 (Coordinated Universal Time)",
        "branches": True, "recursive": False, "options": {"presetId": None, "model": "gpt-4o", "endpoint": "openAI"}, "messages": messages,
    } | changes  # fmt: skip


def librechat_tree(depth: int = 2) -> dict[str, Any]:
    """The same as a tree of children, in which each message follows the one that contains it."""
    children: list[dict[str, Any]] = []
    for place in range(depth, 0, -1):
        said = _librechat_message(
            f"t{place}", "", f"message {place}", is_user=place % 2 == 1, createdAt=None, children=children
        )
        del said["parentMessageId"]
        children = [said]
    return {
        "conversationId": "lc-2",
        "endpoint": "openAI",
        "title": "Deep",
        "branches": True,
        "recursive": True,
        "messagesTree": children,
    }
