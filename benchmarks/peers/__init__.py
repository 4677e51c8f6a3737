"""Other engines that tell speakers apart without a download, scored beside ours on the same recordings."""
