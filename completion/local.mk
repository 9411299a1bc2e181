# SPDX-License-Identifier: GPL-3.0-or-later
# bash and fish look for a file of each program's name; one serves all four.
EXTRA_DIST += %D%/_upcase %D%/upcase.bash %D%/upcase.fish
if BASH_COMPLETION
bashcompletion_DATA = %D%/upcase %D%/upcased
if LAB
bashcompletion_DATA += %D%/upcase-check %D%/upcase-lab
endif
endif
if FISH_COMPLETION
fishcompletion_DATA = %D%/upcase.fish %D%/upcased.fish
if LAB
fishcompletion_DATA += %D%/upcase-check.fish %D%/upcase-lab.fish
endif
endif
if ZSH_COMPLETION
zshcompletion_DATA = %D%/_upcase
endif
CLEANFILES += %D%/upcase %D%/upcase-check %D%/upcase-lab %D%/upcased \
	%D%/upcase-check.fish %D%/upcase-lab.fish %D%/upcased.fish
%D%/upcase %D%/upcase-check %D%/upcase-lab %D%/upcased: %D%/upcase.bash
	$(AM_V_GEN)$(MKDIR_P) %D% && cp $(srcdir)/%D%/upcase.bash $@
%D%/upcase-check.fish %D%/upcase-lab.fish %D%/upcased.fish: %D%/upcase.fish
	$(AM_V_GEN)$(MKDIR_P) %D% && cp $(srcdir)/%D%/upcase.fish $@
