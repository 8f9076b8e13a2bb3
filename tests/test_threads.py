"""Torch's threads, and those that draw."""

import pytest
import torch

from lca_core.splats import sharing
from lca_core.threads import available, torch_on_one_thread


def test_torch_on_one_thread_leaves_drawing_all_of_them(monkeypatch):
    monkeypatch.setattr(sharing.numba.config, "NUMBA_NUM_THREADS", 4)
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        with torch_on_one_thread():
            assert (torch.get_num_threads(), available(), sharing.threads()) == (1, 2, 2)
            with torch_on_one_thread():
                assert (torch.get_num_threads(), available(), sharing.threads()) == (1, 2, 2)
            assert sharing.threads() == 2
        with pytest.raises(KeyError), torch_on_one_thread():
            raise KeyError
        assert (torch.get_num_threads(), sharing.threads()) == (2, 2)
    finally:
        torch.set_num_threads(before)
