# SPDX-License-Identifier: GPL-3.0-or-later
# bash and fish look for a file of each program's name; one serves all three.
EXTRA_DIST += %D%/_upcase %D%/upcase.bash %D%/upcase.fish
if BASH_COMPLETION
bashcompletion_DATA = %D%/upcase %D%/upcase-lab %D%/upcased
endif
if FISH_COMPLETION
fishcompletion_DATA = %D%/upcase.fish %D%/upcase-lab.fish %D%/upcased.fish
endif
if ZSH_COMPLETION
zshcompletion_DATA = %D%/_upcase
endif
CLEANFILES += %D%/upcase %D%/upcase-lab %D%/upcased %D%/upcase-lab.fish %D%/upcased.fish
%D%/upcase %D%/upcase-lab %D%/upcased: %D%/upcase.bash
	$(AM_V_GEN)$(MKDIR_P) %D% && cp $(srcdir)/%D%/upcase.bash $@
%D%/upcase-lab.fish %D%/upcased.fish: %D%/upcase.fish
	$(AM_V_GEN)$(MKDIR_P) %D% && cp $(srcdir)/%D%/upcase.fish $@
