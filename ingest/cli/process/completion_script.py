"""The script that completes in zsh: Typer's completes nothing at the first key, and is no script
that ``compinit`` finds.
"""

import os
import sys

_VARIABLE = "_TTSQ_COMPLETE"
_OPTIONS = ("--install-completion", "--show-completion")
# the first line is how compinit finds it; loaded by compinit, its body runs as the function itself
_ZSH = """\
#compdef %(prog_name)s

%(complete_func)s() {
  eval $(env _TYPER_COMPLETE_ARGS="${words[1,$CURRENT]}" %(autocomplete_var)s=complete_zsh %(prog_name)s)
}

if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
  %(complete_func)s "$@"
else
  compdef %(complete_func)s %(prog_name)s
fi
"""  # noqa: E501


def use_own_script() -> None:
    """Have the script given out instead of Typer's, where a script is asked for."""
    if _VARIABLE in os.environ or any(option in sys.argv for option in _OPTIONS):
        from typer import _completion_classes, _completion_shared

        _completion_shared._completion_scripts["zsh"] = _ZSH
        _completion_classes.ZshComplete.source_template = _ZSH
