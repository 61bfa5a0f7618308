"""Ollama's protocol as `peers.md` measured it on a real daemon, asked of the embedded one."""

import json
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

import httpx
import pytest

CHAT = "smollm2:135m"
EMBED = "all-minilm:22m"
QUESTION = [{"role": "user", "content": "What is the capital of France?"}]


def ask(**more: Any) -> dict[str, Any]:
    options = {"num_predict": 8, "temperature": 0, **more.pop("options", {})}
    return {"model": CHAT, "messages": QUESTION, "options": options, **more}


def lines(response: httpx.Response) -> list[dict[str, Any]]:
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "application/x-ndjson"
    return [json.loads(line) for line in response.text.splitlines()]


def refusal(response: httpx.Response) -> tuple[int, str]:
    assert response.headers["content-type"].startswith("application/json")
    assert list(response.json()) == ["error"]
    return response.status_code, response.json()["error"]


# As long as there is work for, on a machine that does nothing else, in the requests that were hung up on.
SHORTER_THAN_THE_LONG = 20.0


class TestListing:
    def test_root_says_that_it_runs(self, ollama: httpx.Client) -> None:
        assert ollama.get("/").text == "Ollama is running"
        assert ollama.head("/").status_code == 200

    def test_version(self, ollama: httpx.Client) -> None:
        assert re.fullmatch(r"\d+\.\d+\.\d+\+rxchat", ollama.get("/api/version").json()["version"])

    def test_tags_describe_both_models(self, ollama: httpx.Client) -> None:
        rows = ollama.get("/api/tags").json()["models"]
        assert [(row["name"], row["capabilities"]) for row in rows] == [(CHAT, ["completion"]), (EMBED, ["embedding"])]
        for row in rows:
            assert row["size"] > 10_000_000
            assert re.fullmatch("[0-9a-f]{64}", row["digest"])
            assert row["details"]["format"] == "gguf"
            datetime.fromisoformat(row["modified_at"])

    def test_show_tells_capabilities_and_context(self, ollama: httpx.Client) -> None:
        shown = ollama.post("/api/show", json={"model": CHAT}).json()
        assert shown["capabilities"] == ["completion"]
        assert shown["model_info"]["llama.context_length"] == 4096
        assert ollama.post("/api/show", json={"name": EMBED}).json()["model_info"]["bert.embedding_length"] == 384
        assert refusal(ollama.post("/api/show", json={"model": "nope"})) == (404, "model 'nope' not found")

    def test_other_paths_are_not_found(self, ollama: httpx.Client) -> None:
        assert ollama.get("/api/nope").status_code == 404
        assert ollama.get("/api/chat").status_code == 405


class TestStream:
    def test_lines_then_a_last_one_with_the_figures(self, ollama: httpx.Client) -> None:
        *pieces, last = lines(ollama.post("/api/chat", json=ask()))
        assert "".join(piece["message"]["content"] for piece in pieces) == "The capital of France is Paris."
        assert all(not piece["done"] and piece["message"]["role"] == "assistant" for piece in pieces)
        assert last["done"]
        assert last["message"]["content"] == ""
        assert last["done_reason"] in {"stop", "length"}
        assert last["prompt_eval_count"] > 10
        assert last["eval_count"] >= 7
        for figure in ("total_duration", "load_duration", "prompt_eval_duration", "eval_duration"):
            assert isinstance(last[figure], int)
        assert last["total_duration"] >= last["eval_duration"] > 1_000_000

    def test_times_have_nine_digits(self, ollama: httpx.Client) -> None:
        for line in lines(ollama.post("/api/chat", json=ask())):
            assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z", line["created_at"])
            datetime.fromisoformat(line["created_at"])

    def test_whole_answer(self, ollama: httpx.Client) -> None:
        response = ollama.post("/api/chat", json=ask(stream=False))
        assert response.headers["content-type"].startswith("application/json")
        assert response.json()["message"]["content"] == "The capital of France is Paris."
        assert response.json()["done"]

    def test_the_limit_is_a_length(self, ollama: httpx.Client) -> None:
        last = ollama.post("/api/chat", json=ask(stream=False, options={"num_predict": 2})).json()
        assert (last["done_reason"], last["eval_count"]) == ("length", 2)

    def test_generate(self, ollama: httpx.Client) -> None:
        body = {"model": CHAT, "prompt": QUESTION[0]["content"], "options": {"num_predict": 8, "temperature": 0}}
        *pieces, last = lines(ollama.post("/api/generate", json=body))
        assert "".join(piece["response"] for piece in pieces) == "The capital of France is Paris."
        assert last["response"] == ""
        whole = ollama.post("/api/generate", json={**body, "raw": True, "stream": False}).json()
        assert whole["prompt_eval_count"] < last["prompt_eval_count"]

    def test_nothing_is_escaped_that_need_not_be(self, ollama: httpx.Client) -> None:
        body = ask(messages=[{"role": "user", "content": "Go on."}, {"role": "assistant", "content": "<b>é</b> is <"}])
        assert "\\u00" not in ollama.post("/api/chat", json=body).text


class TestOptions:
    def test_a_seed_repeats(self, ollama: httpx.Client) -> None:
        body = ask(stream=False, options={"temperature": 1.0, "seed": 7, "num_predict": 12})
        said = {ollama.post("/api/chat", json=body).json()["message"]["content"] for _ in range(2)}
        assert len(said) == 1

    def test_stop_words_end_the_answer(self, ollama: httpx.Client) -> None:
        answer = ollama.post("/api/chat", json=ask(stream=False, options={"stop": [" of"]})).json()
        assert (answer["message"]["content"], answer["done_reason"]) == ("The capital", "stop")

    def test_all_known_ones_are_taken(self, ollama: httpx.Client) -> None:
        options = {"top_p": 0.9, "top_k": 5, "repeat_penalty": 1.2, "num_ctx": 1024, "num_predict": 2.0, "seed": None}
        answer = ollama.post("/api/chat", json=ask(stream=False, keep_alive="5m", options=options))
        assert answer.status_code == 200

    @pytest.mark.parametrize(
        ("option", "value", "kind"),
        [
            ("num_predict", "x", "integer"),
            ("top_k", True, "integer"),
            ("seed", [], "integer"),
            ("num_predict", 10**40, "integer"),
            ("temperature", "hot", "float32"),
            ("stop", "word", "array"),
        ],
    )
    def test_wrong_types(self, ollama: httpx.Client, option: str, value: object, kind: str) -> None:
        answer = refusal(ollama.post("/api/chat", json=ask(options={option: value})))
        assert answer == (500, f'option "{option}" must be of type {kind}')


class TestRefusals:
    def test_unknown_model(self, ollama: httpx.Client) -> None:
        for path in ("/api/chat", "/api/generate", "/api/embed"):
            assert refusal(ollama.post(path, json={"model": "nope"})) == (404, "model 'nope' not found")

    def test_no_model(self, ollama: httpx.Client) -> None:
        assert refusal(ollama.post("/api/chat", json={})) == (400, "model is required")

    def test_no_body(self, ollama: httpx.Client) -> None:
        assert refusal(ollama.post("/api/chat", content=b"")) == (400, "missing request body")

    @pytest.mark.parametrize(
        "body", [b"{", b"[]", b'{"model": 5}', b'{"messages": "x"}', b'{"options": {"seed": NaN}}']
    )
    def test_nonsense(self, ollama: httpx.Client, body: bytes) -> None:
        assert refusal(ollama.post("/api/chat", content=body))[0] == 400

    def test_thinking(self, ollama: httpx.Client) -> None:
        assert refusal(ollama.post("/api/chat", json=ask(think=True))) == (400, f'"{CHAT}" does not support thinking')
        assert ollama.post("/api/chat", json=ask(think=False)).status_code == 200

    def test_tools(self, ollama: httpx.Client) -> None:
        status, message = refusal(ollama.post("/api/chat", json=ask(tools=[{"type": "function"}])))
        assert (status, message) == (400, f"registry.ollama.ai/library/{CHAT} does not support tools")

    def test_images_are_an_error_within_an_error(self, ollama: httpx.Client) -> None:
        body = ask(messages=[{"role": "user", "content": "What is it?", "images": ["AAAA"]}])
        status, message = refusal(ollama.post("/api/chat", json=body))
        assert status == 400
        assert "image" in json.loads(message)["error"]["message"]

    def test_chat_on_an_embedder(self, ollama: httpx.Client) -> None:
        answer = refusal(ollama.post("/api/chat", json=ask(model=EMBED)))
        assert answer == (400, f'"{EMBED}" does not support chat')

    def test_embed_on_a_chat_model(self, ollama: httpx.Client) -> None:
        answer = refusal(ollama.post("/api/embed", json={"model": CHAT, "input": "x"}))
        assert answer == (501, "This server does not support embeddings. Start it with --embeddings")

    def test_pull_fails_inside_a_200_stream(self, ollama: httpx.Client) -> None:
        first, second = lines(ollama.post("/api/pull", json={"model": "llama3"}))
        assert first == {"status": "pulling manifest"}
        assert second["error"].startswith("pull model manifest: ")

    def test_web_pages_of_other_origins(self, ollama: httpx.Client) -> None:
        assert ollama.get("/api/tags", headers={"Origin": "https://evil.example"}).status_code == 403
        assert ollama.get("/api/tags", headers={"Origin": "http://localhost:3000"}).status_code == 200


class TestLoading:
    def test_no_messages_load_and_unload(self, ollama: httpx.Client) -> None:
        (loaded,) = lines(ollama.post("/api/chat", json={"model": CHAT, "messages": []}))
        assert (loaded["done"], loaded["done_reason"]) == (True, "load")
        assert CHAT in [row["name"] for row in ollama.get("/api/ps").json()["models"]]
        unloaded = ollama.post("/api/chat", json={"model": CHAT, "messages": [], "keep_alive": 0, "stream": False})
        assert unloaded.json()["done_reason"] == "unload"
        assert CHAT not in [row["name"] for row in ollama.get("/api/ps").json()["models"]]
        assert ollama.post("/api/chat", json=ask()).status_code == 200
        assert CHAT in [row["name"] for row in ollama.get("/api/ps").json()["models"]]

    @pytest.mark.parametrize("name", ["smollm2", "smollm2:latest", "SmolLM2:135m", "library/smollm2:135m"])
    def test_names_may_be_short(self, ollama: httpx.Client, name: str) -> None:
        assert ollama.post("/api/chat", json=ask(model=name, stream=False)).json()["model"] == name


class TestMessages:
    def test_an_open_answer_is_continued_and_not_repeated(self, ollama: httpx.Client) -> None:
        messages = [*QUESTION, {"role": "assistant", "content": "The capital of France is"}]
        answer = ollama.post("/api/chat", json=ask(messages=messages, stream=False)).json()
        assert answer["message"]["content"].startswith(" Paris")

    def test_an_unknown_role_is_taken(self, ollama: httpx.Client) -> None:
        assert ollama.post("/api/chat", json=ask(messages=[{"role": "alien", "content": "hi"}])).status_code == 200

    def test_nul_lone_surrogates_and_nothing(self, ollama: httpx.Client) -> None:
        content = (
            b'{"model":"%s","messages":[{"role":"user","content":"a\\u0000b\\ud800c"},{"role":"user"}],' % CHAT.encode()
        )
        response = ollama.post("/api/chat", content=content + b'"stream":false,"options":{"num_predict":2}}')
        assert response.status_code == 200

    def test_a_prompt_that_is_too_long_is_cut_to_half_the_context(self, ollama: httpx.Client) -> None:
        text = "word " * 6000
        body = ask(
            messages=[{"role": "user", "content": text}], stream=False, options={"num_ctx": 512, "num_predict": 4}
        )
        assert 200 <= ollama.post("/api/chat", json=body).json()["prompt_eval_count"] <= 256

    def test_the_oldest_messages_go_first_and_the_system_stays(self, ollama: httpx.Client) -> None:
        chatter = [{"role": "user", "content": f"message {number} " * 20} for number in range(60)]
        system = {"role": "system", "content": "Be kind. " * 10}
        body = ask(messages=[system, *chatter, *QUESTION], stream=False, options={"num_ctx": 512, "num_predict": 4})
        answer = ollama.post("/api/chat", json=body).json()
        assert 120 <= answer["prompt_eval_count"] <= 256

    def test_a_large_paste_is_answered(self, ollama: httpx.Client) -> None:
        body = ask(
            messages=[{"role": "user", "content": "ab \u202e\u05d0 \U0001f600 " * 20_000}],
            options={"num_ctx": 256, "num_predict": 2},
        )
        assert lines(ollama.post("/api/chat", json=body))[-1]["done"]


class TestSlots:
    def test_two_answers_side_by_side(self, ollama: httpx.Client) -> None:
        both_speak = threading.Barrier(2, timeout=20)

        def speak() -> None:
            with ollama.stream("POST", "/api/chat", json=ask(options={"num_predict": 200})) as response:
                for _line in response.iter_lines():
                    both_speak.wait()
                    return

        with ThreadPoolExecutor(2) as pool:
            for done in [pool.submit(speak) for _ in range(2)]:
                done.result()

    def test_five_at_once_all_succeed(self, ollama: httpx.Client) -> None:
        with ThreadPoolExecutor(5) as pool:
            answers = list(pool.map(lambda _n: ollama.post("/api/chat", json=ask(stream=False)), range(5)))
        assert all(answer.json()["done"] for answer in answers)

    @pytest.mark.parametrize("streams", [True, False])
    def test_hanging_up_frees_the_slots(self, ollama: httpx.Client, streams: bool) -> None:
        song = [{"role": "user", "content": "Sing."}, {"role": "assistant", "content": "la la la la" * 20}]
        long = ask(messages=song, stream=streams)
        long["options"] = {"num_predict": 1500, "temperature": 0, "repeat_penalty": 1.0, "seed": 1}
        for _ in range(2):
            if streams:
                with ollama.stream("POST", "/api/chat", json=long) as response:
                    next(response.iter_lines())
            else:
                with pytest.raises(httpx.ReadTimeout):
                    ollama.post("/api/chat", json=long, timeout=0.5)
        # Both slots were taken: with them still busy this would wait for 1500 tokens.
        short = ask(stream=False, options={"num_predict": 1})
        assert ollama.post("/api/chat", json=short, timeout=SHORTER_THAN_THE_LONG).status_code == 200

    def test_hanging_up_while_the_prompt_is_read_frees_the_slots(self, ollama: httpx.Client) -> None:
        long = ask(messages=[{"role": "user", "content": "word " * 1900}])
        for _ in range(2):
            with pytest.raises(httpx.ReadTimeout):
                ollama.post("/api/chat", json=long, timeout=0.3)
        # Reading both prompts to their ends takes some 20 s on a machine that does nothing else.
        short = ask(stream=False, options={"num_predict": 1})
        assert ollama.post("/api/chat", json=short, timeout=SHORTER_THAN_THE_LONG).status_code == 200


class TestEmbedding:
    def test_related_sentences_are_nearer(self, ollama: httpx.Client) -> None:
        texts = ["A cat sits on the mat.", "A kitten rests on a rug.", "The stock market fell sharply today."]
        answer = ollama.post("/api/embed", json={"model": EMBED, "input": texts}).json()
        cat, kitten, market = answer["embeddings"]
        assert len(cat) == 384
        assert dot(cat, cat) == pytest.approx(1, abs=1e-4)
        # The unquantised model's own figures are 0.66 and 0.09.
        assert dot(cat, kitten) == pytest.approx(0.66, abs=0.03)
        assert dot(cat, market) < 0.2
        assert answer["prompt_eval_count"] == 27
        assert isinstance(answer["total_duration"], int)

    def test_one_text_and_none(self, ollama: httpx.Client) -> None:
        assert len(ollama.post("/api/embed", json={"model": "all-minilm", "input": "one"}).json()["embeddings"]) == 1
        assert ollama.post("/api/embed", json={"model": EMBED, "input": []}).json()["embeddings"] == []
        assert refusal(ollama.post("/api/embed", json={"model": EMBED, "input": 5})) == (400, "invalid input type")

    def test_long_texts_are_cut_unless_that_is_forbidden(self, ollama: httpx.Client) -> None:
        body = {"model": EMBED, "input": ["word " * 2000, "x"]}
        assert ollama.post("/api/embed", json=body).json()["prompt_eval_count"] == 256 + 3
        assert refusal(ollama.post("/api/embed", json={**body, "truncate": False}))[0] == 400


def dot(first: list[float], second: list[float]) -> float:
    return sum(one * other for one, other in zip(first, second, strict=True))
