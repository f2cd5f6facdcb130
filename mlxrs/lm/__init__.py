"""Language models: from a name to a conversation.

`load` gives a model and its tokenizer, `ChatSession` a conversation with them, `generate` and
`stream_generate` plain continuation, `generate_step` the loop beneath.
"""
