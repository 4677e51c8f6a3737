"""Stop words: function words, and words common in every meeting.

Our own list for English, stopwords-iso (MIT) for other languages.
"""

from __future__ import annotations

from functools import cache

import stopwordsiso

from server.conversation import ENGLISH

# Languages that share another language's list.
_LISTED_AS = {"nb": "no", "nn": "no", "bs": "hr", "fil": "tl", "yue": "zh"}


@cache
def stop_words(language: str) -> frozenset[str]:
    """Return a language's stop words, in lower case; empty if there is no list."""
    if language == ENGLISH:
        return STOP_WORDS
    return frozenset(word.lower() for word in stopwordsiso.stopwords(_LISTED_AS.get(language, language)))


STOP_WORDS = frozenset(
    """
        a about above after again against all also although always am among an and another any anybody
        anyone anything anyway are aren't around as at away back be became because become been before behind
        being below between both but by can can't cannot could couldn't did didn't do does doesn't doing
        don't done down during each either else enough especially etc even ever every everybody everyone
        everything except few for from further had hadn't has hasn't have haven't having he he'd he'll he's
        hence her here here's hers herself him himself his how how's however i i'd i'll i'm i've if in
        indeed instead into is isn't it it'd it'll it's its itself just last least less let let's like
        likely many may maybe me might mine more most mostly much must my myself near nearly need neither
        never next no nobody none nor not nothing now nowhere of off often on once one one's ones only onto
        or other others otherwise our ours ourselves out over own per perhaps please quite rather same she
        she'd she'll she's should shouldn't since so some somebody someone something sometimes somewhere
        still such than that that'd that'll that's the their theirs them themselves then there there'd
        there's therefore these they they'd they'll they're they've this those though through throughout
        thus to together too toward towards under unless until up upon us used usually very via was wasn't
        we we'd we'll we're we've well were weren't what what's whatever when when's whenever where where's
        whether which while who who'd who's whoever whole whom whose why why's will with within without
        won't would wouldn't yet you you'd you'll you're you've your yours yourself yourselves ah aha
        alright aye cause cos dunno eh er erm gonna gotta ha hello hey hi hm hmm huh kay kinda mm mhm mm-hmm
        nah nope oh ok okay ooh right sorry sort sorta sure thank thanks uh uh-huh um wanna wow yeah yep yes
        yup bye actually already able agree agreed anymore basically better big bit bring call called came
        certain certainly clear come comes coming completely couple course depends different doing easy end
        example exactly fact far feel fine first second third find finish finished forget gave get gets
        getting give given gives giving go goes going gone good got great guess guys guy half happen happens
        hard heard help hope idea imagine important information interesting keep kind know known leave left
        little long look looked looking looks lot lots love made main make makes making matter mean means
        mentioned mind minute minutes moment new nice old open ought part particular people person place
        point possible probably problem pretty put question quick quickly ready real really reason remember
        round said saw say saying says see seem seems seen set shall show side simple simply small somehow
        soon speak start started stuff suppose supposed take taken takes taking talk talked talking tell
        terms thing things think thinking thought time times today told tomorrow took tried try trying turn
        two three four five six seven eight nine ten hundred thousand understand use using want wanted wants
        way ways week went whatsoever words work works working worry wrong year years yesterday zero twenty
        thirty forty fifty okey obviously totally whatever's definitely ones stop
        morning afternoon evening night monday tuesday wednesday thursday friday saturday sunday january february april
    june july august september october november december everyone's welcome spent spend
    """.split()
)
