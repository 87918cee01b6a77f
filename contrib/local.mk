# SPDX-License-Identifier: MIT
EXTRA_DIST += %D%/quickstart \
  %D%/systemd/system/mailhaul-fetch.service \
  %D%/systemd/system/mailhaul-fetch.timer \
  %D%/systemd/system/mailhaul.service \
  %D%/systemd/user/mailhaul.service

bashcompletiondir = $(datadir)/bash-completion/completions
zshcompletiondir = $(datadir)/zsh/site-functions
fishcompletiondir = $(datadir)/fish/vendor_completions.d
dist_bashcompletion_DATA = %D%/completions/mailhaul
dist_zshcompletion_DATA = %D%/completions/_mailhaul
dist_fishcompletion_DATA = %D%/completions/mailhaul.fish
