"""Sentence embeddings of all-MiniLM-L6-v2, or any BERT of that layout, in NumPy alone.

    encode = Encoder(FOLDER).encode        # FOLDER: config.json, model.safetensors, tokenizer.json
    encode(["a sentence", "another"])      # [2][384] float32, unit length

BERT (Devlin et al. 2019): embeddings of tokens and positions, then layers of self-attention and
of a feed-forward network, each added to its input and normalised. The embedding of a sentence is
the mean over its tokens (Reimers, Gurevych 2019), scaled to length 1. PyTorch would do the same
with gigabytes of libraries; here most of the time is spent in the same matrix products.
"""

import json
import os

import numpy as np
from safetensors.numpy import load_file
from scipy.special import erf
from tokenizers import Tokenizer


def softmax(x):
    x = np.exp(x - x.max(axis=-1, keepdims=True))
    return x / x.sum(axis=-1, keepdims=True)


def gelu(x):
    return x * 0.5 * (1 + erf(x * np.float32(0.5 ** 0.5)))


class Encoder:
    """A model read from a folder. Texts of more than `max_tokens` tokens are cut, as the model's
    own settings (sentence_bert_config.json) say."""

    def __init__(self, folder):
        def settings(name):
            with open(os.path.join(folder, name), encoding="utf-8") as file:
                return json.load(file)

        config = settings("config.json")
        self.heads = config["num_attention_heads"]
        self.layers = config["num_hidden_layers"]
        self.epsilon = config["layer_norm_eps"]
        self.weights = load_file(os.path.join(folder, "model.safetensors"))
        self.tokenizer = Tokenizer.from_file(os.path.join(folder, "tokenizer.json"))
        self.tokenizer.enable_truncation(settings("sentence_bert_config.json")["max_seq_length"])
        self.tokenizer.no_padding()

    def encode(self, texts, batch=64, progress=lambda done: None):
        """[texts][dim] float32. Texts of about equal length share a batch, so that little is
        padded; progress(texts done) is called after each."""
        tokens = [encoding.ids for encoding in self.tokenizer.encode_batch(texts)]
        order = sorted(range(len(texts)), key=lambda i: len(tokens[i]))
        rows = np.empty((len(texts), self.weights["embeddings.LayerNorm.weight"].size), np.float32)
        for first in range(0, len(order), batch):
            chosen = order[first:first + batch]
            rows[chosen] = self.forward([tokens[i] for i in chosen])
            progress(first + len(chosen))
        return rows

    def forward(self, tokens):
        """[sentences][dim] of lists of token numbers."""
        lengths = np.array([len(one) for one in tokens])
        mask = np.arange(lengths.max()) < lengths[:, None]  # [sentence][position]
        ids = np.zeros(mask.shape, np.int64)
        ids[mask] = np.concatenate(tokens)
        x = (self.weights["embeddings.word_embeddings.weight"][ids]
             + self.weights["embeddings.position_embeddings.weight"][:ids.shape[1]]
             + self.weights["embeddings.token_type_embeddings.weight"][0])
        x = self.normalise(x, "embeddings.LayerNorm")
        for layer in range(self.layers):
            x = self.layer(x, mask, f"encoder.layer.{layer}")
        mean = (x * mask[:, :, None]).sum(axis=1) / lengths[:, None]
        return mean / np.linalg.norm(mean, axis=1, keepdims=True)

    def layer(self, x, mask, name):
        attended = self.attend(x, mask, name + ".attention.self")
        x = self.normalise(x + self.linear(attended, name + ".attention.output.dense"),
                           name + ".attention.output.LayerNorm")
        wide = gelu(self.linear(x, name + ".intermediate.dense"))
        return self.normalise(x + self.linear(wide, name + ".output.dense"),
                              name + ".output.LayerNorm")

    def attend(self, x, mask, name):
        """Each head: softmax(Q K^T / sqrt(head dim)) V, with nothing from padded positions."""
        def heads(part):  # [sentence][head][position][head dim]
            y = self.linear(x, f"{name}.{part}")
            return y.reshape(*y.shape[:2], self.heads, -1).transpose(0, 2, 1, 3)

        query, key, value = heads("query"), heads("key"), heads("value")
        scores = query @ key.transpose(0, 1, 3, 2) / np.float32(query.shape[-1] ** 0.5)
        scores = np.where(mask[:, None, None, :], scores, np.float32(-1e9))
        return (softmax(scores) @ value).transpose(0, 2, 1, 3).reshape(x.shape)

    def linear(self, x, name):
        flat = x.reshape(-1, x.shape[-1]) @ self.weights[name + ".weight"].T
        return (flat + self.weights[name + ".bias"]).reshape(*x.shape[:-1], -1)

    def normalise(self, x, name):
        x = x - x.mean(axis=-1, keepdims=True)
        x /= np.sqrt((x * x).mean(axis=-1, keepdims=True) + self.epsilon)
        return x * self.weights[name + ".weight"] + self.weights[name + ".bias"]
