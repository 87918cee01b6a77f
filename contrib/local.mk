# SPDX-License-Identifier: MIT
EXTRA_DIST += %D%/quickstart

bashcompletiondir = $(datadir)/bash-completion/completions
zshcompletiondir = $(datadir)/zsh/site-functions
fishcompletiondir = $(datadir)/fish/vendor_completions.d
dist_bashcompletion_DATA = %D%/completions/mailhaul
dist_zshcompletion_DATA = %D%/completions/_mailhaul
dist_fishcompletion_DATA = %D%/completions/mailhaul.fish
