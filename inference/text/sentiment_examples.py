"""Sentences written for this project that express something positive or negative.

They extend the emotions' examples (happiness is positive; anger, disgust and fear are negative) by what those lack:
sadness, disappointment, dissent, praise and approval.
"""

from __future__ import annotations

NEGATIVE = (
    "I am so sad that she is gone.",
    "I'm sorry, I feel terrible about it.",
    "It didn't work, and I am disappointed.",
    "I lost my job and I don't know what to do.",
    "I disagree, I think this is a bad idea.",
    "That's a serious problem for us.",
    "The customers complain that it is too slow.",
    "Unfortunately we are over budget again.",
    "I miss him so much, it hurts.",
    "No, that won't work at all.",
    "I feel so lonely and tired.",
    "It's a disaster, everything went wrong.",
    "This is boring, and it takes far too long.",
    "I failed the exam.",
    "The quality is poor and it keeps breaking.",
    "She left me and broke my heart.",
    "I wish I had never come.",
    "We missed the deadline and the client is unhappy.",
    "What? You're not coming?",
    "Oh no. I can't believe this is happening.",
)
POSITIVE = (
    "I agree, that is a very good point.",
    "That works really well for us.",
    "Good, I like that.",
    "Nice work, it looks great.",
    "The customers like it and sales are growing.",
    "That is a clever solution.",
    "I am confident that we can make it.",
    "It's much better than before.",
    "I really appreciate your help.",
    "Yes! That's exactly right.",
    "We are ahead of schedule, which is great.",
    "That would be lovely, thank you.",
)
