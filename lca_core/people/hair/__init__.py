"""Hair and beards of a digital human: roots, how every style lies, strands and the cap under them."""
