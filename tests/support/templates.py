"""Chat templates of real models, out of a published package."""

from __future__ import annotations

from pathlib import Path

from support.published import sdist_members

_FOLDER = "llama_cpp_python-0.3.36/vendor/llama.cpp/models/templates"

NAMES = """
Apertus-8B-Instruct
Apriel-1.6-15b-Thinker-fixed
Bielik-11B-v3.0-Instruct
ByteDance-Seed-OSS
Cohere2MoE
CohereForAI-c4ai-command-r-plus-tool_use
CohereForAI-c4ai-command-r7b-12-2024-tool_use
GLM-4.6
GLM-4.7-Flash
GigaChat3-10B-A1.8B
GigaChat3.1-10B-A1.8B
HuggingFaceTB-SmolLM3-3B
Kimi-K2-Instruct
Kimi-K2-Thinking
Kimi-K3
LFM2-8B-A1B
LFM2.5-8B-A1B
LFM2.5-Instruct
MiMo-VL
MiniMax-M1
MiniMax-M2
MiniMax-M3
Mistral-Small-3.2-24B-Instruct-2506
NVIDIA-Nemotron-3-Nano-30B-A3B-BF16
NVIDIA-Nemotron-Nano-v2
NousResearch-Hermes-2-Pro-Llama-3-8B-tool_use
NousResearch-Hermes-3-Llama-3.1-8B-tool_use
Qwen-QwQ-32B
Qwen-Qwen2.5-7B-Instruct
Qwen-Qwen3-0.6B
Qwen3-Coder
Qwen3.5-4B
Reka-Edge
Spark2.5
StepFun3.5-Flash
deepseek-ai-DeepSeek-R1-Distill-Llama-8B
deepseek-ai-DeepSeek-R1-Distill-Qwen-32B
deepseek-ai-DeepSeek-V3.1
deepseek-ai-DeepSeek-V3.2
deepseek-ai-DeepSeek-V4-Flash-0731
deepseek-ai-DeepSeek-V4
fireworks-ai-llama-3-firefunction-v2
google-gemma-2-2b-it
google-gemma-4-31B-it-interleaved
google-gemma-4-31B-it
ibm-granite-granite-3.3-2B-Instruct
ibm-granite-granite-4.0
ibm-granite-granite-4.1
inclusionai-ling-3.0-flash
llama-cpp-deepseek-r1
llama-cpp-rwkv-world
meetkai-functionary-medium-v3.1
meetkai-functionary-medium-v3.2
meta-llama-Llama-3.1-8B-Instruct
meta-llama-Llama-3.2-3B-Instruct
meta-llama-Llama-3.3-70B-Instruct
microsoft-Phi-3.5-mini-instruct
mistralai-Ministral-3-14B-Reasoning-2512
mistralai-Mistral-Nemo-Instruct-2407
moonshotai-Kimi-K2
muse-glimmer
openai-gpt-oss-120b
openbmb-MiniCPM5-1B
poolside-Laguna-S-2.1
poolside-Laguna-XS-2.1
poolside-Laguna-XS.2
tencent-Hy3
unsloth-Apriel-1.5
unsloth-mistral-Devstral-Small-2507
upstage-Solar-Open-100B
""".split()


def template_source(name: str) -> str:
    """Returns the source of one of the templates that llama.cpp is tested with."""
    return (_folder() / f"{name}.jinja").read_text(encoding="utf-8")


def _folder() -> Path:
    return sdist_members(
        "llama-cpp-python",
        "llama_cpp_python-0.3.36.tar.gz",
        "832db0699007f1be95a7e41ef12e88926b02ba836461e36a36372db2760c1a2e",
        tuple(f"{_FOLDER}/{name}.jinja" for name in NAMES),
    )


WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Tells the weather.",
        "parameters": {
            "type": "object",
            "properties": {
                "city": {"type": "string", "description": "Where <to> look & 'when'"},
                "days": {"type": "integer", "description": "How many days"},
                "detailed": {"type": "boolean", "description": "Everything?"},
            },
            "required": ["city"],
        },
    },
}
SEARCH = {
    "type": "function",
    "function": {
        "name": "search",
        "description": "Searches.",
        "parameters": {
            "type": "object",
            "properties": {"query": {"type": "string"}, "limit": {"type": "integer"}},
            "required": ["query"],
        },
    },
}


def call_message(name: str, arguments: object, *, call_id: str = "call12345") -> dict[str, object]:
    """Returns one entry of an assistant's `tool_calls`."""
    return {
        "id": call_id,
        "type": "function",
        "function": {"name": name, "arguments": arguments},
    }
