"""Record types, their tensors, shards and manifests; cameras, light and environments."""

from lca_core.data.records import Camera, Frame, Person, Picture, Truth, split_of
from lca_core.data.shards import join_shards, read_people, shard_paths, write_shard
from lca_core.data.tensors import camera_tensors, hidden_of, pixels, signal_tensors

__all__ = ["Camera", "Frame", "Person", "Picture", "Truth", "camera_tensors", "hidden_of", "join_shards", "pixels",
           "read_people", "shard_paths", "signal_tensors", "split_of", "write_shard"]  # fmt: skip
