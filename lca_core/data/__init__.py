"""Record types, shards and manifests."""

from lca_core.data.manifests import write_manifest
from lca_core.data.records import Camera, Frame, Person, Picture, Truth, split_of
from lca_core.data.shards import read_people, shard_paths, write_shard

__all__ = ["Camera", "Frame", "Person", "Picture", "Truth", "read_people", "shard_paths", "split_of",
           "write_manifest", "write_shard"]  # fmt: skip
