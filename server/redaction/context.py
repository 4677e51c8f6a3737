"""What the words around a number say about it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import Enum

from server.conversation import UNSPACED_SCRIPTS

PHONE_WORDS = frozenset(
    """
        phone phones telephone mobile cell cellphone landline call calling dial reach ring text fax whatsapp
        tel phone's hotline voicemail
        telefon telefonnummer handy handynummer rufnummer mobilnummer nummer anrufen erreichen mobil durchwahl
        téléphone portable appeler appelez joindre numéro telefoon telefoonnummer bellen mobiel nummer
        teléfono telefono móvil celular llamar llámame llame numero número cellulare chiamare chiamami
        telefone telemóvel ligar telefonu komórka zadzwoń 电话 手机 電話 携帯 전화
    """.split()
)
CARD_WORDS = frozenset(
    """
        card visa mastercard amex maestro debit credit kreditkarte kreditkartennummer karte kartennummer carte
        tarjeta carta cartão creditcard kaart karta
    """.split()
)
IBAN_WORDS = frozenset("iban i-ban ban konto kontonummer".split())
EMAIL_WORDS = frozenset(
    """
        email e-mail emails mail e-mails address mailbox inbox gmail adresse mailadresse courriel correo
        dirección indirizzo endereço mailen schreiben écrivez
    """.split()
)
# What follows these is no telephone number, card or account.
OTHER_NUMBERS = frozenset(
    """
        order orders invoice ticket tickets tracking reference ref case serial model version release build booking
        reservation confirmation isbn part article item sku po id issue commit room page flight chapter port
        customer member membership employee policy contract parcel shipment batch lot barcode patent license
        row line bug population revenue budget gate platform bus train zip postcode pin password
        bestellung bestellnummer rechnung rechnungsnummer auftragsnummer aktenzeichen kundennummer
        sendungsnummer vertragsnummer seriennummer commande facture dossier colis pedido factura expediente
        ordine fattura pratica encomenda fatura bestelling factuurnummer
    """.split()
)
# Stand between a label and its number.
_CONNECTORS = frozenset(
    """
        number numbers code no nr num is for was are the it's its it hash reads your my our his her their a of that
        nummer ist lautet die der das numéro est le la número es el numero è il
    """.split()
)
UNITS = frozenset(
    """
        dollars dollar bucks euros euro pounds pound cents yen francs percent per million millions billion billions
        trillion kilometers kilometres miles meters metres feet inches kilos kilograms grams tons tonnes liters
        litres people users customers employees years months weeks days hours minutes seconds times degrees
        o'clock am pm a.m p.m bytes kilobytes megabytes gigabytes terabytes tokens lines rows votes shares units
        prozent millionen milliarden pour personnes ans por ciento millones
    """.split()
)
CURRENCIES = ("$", "€", "£", "¥", "₹")
_UNSPACED = re.compile(f"[{UNSPACED_SCRIPTS}\uac00-\ud7a3]")
LABEL_REACH, CONTEXT_REACH, CONTEXT_AFTER = 6, 14, 5


class Label(Enum):
    """What a number is said to be."""

    PHONE = "phone"
    CARD = "card"
    IBAN = "iban"
    EMAIL = "email"
    OTHER = "other"


_LABELS = (
    (Label.IBAN, IBAN_WORDS),
    (Label.CARD, CARD_WORDS),
    (Label.OTHER, OTHER_NUMBERS),
    (Label.PHONE, PHONE_WORDS),
    (Label.EMAIL, EMAIL_WORDS),
)


def _is_listed(word: str, listed: frozenset[str]) -> bool:
    if word.isascii():
        return word.removesuffix("'s") in listed
    # Without spaces between words, the word is somewhere inside.
    return word in listed or any(entry in word for entry in listed if _UNSPACED.match(entry))


class Context:
    """The words of a stream, to be asked what stands around a number."""

    def __init__(self, words: Sequence[str]) -> None:
        """
        Args:
            words: in lower case, without punctuation.
        """
        self._words = words

    def label(self, first: int) -> Label | None:
        """Return what the word before a number calls it, over connectors ("order number is ..."); None if nothing."""
        for index in range(first - 1, max(-1, first - 1 - LABEL_REACH), -1):
            word = self._words[index].removesuffix("'s")
            for label, listed in _LABELS:
                if word in listed:
                    return label
            if word not in _CONNECTORS:
                return None
        return None

    def speaks_of(self, listed: frozenset[str], first: int, last: int) -> bool:
        """Return whether one of the listed words is near the words first..last."""
        near = (*self._words[max(0, first - CONTEXT_REACH) : first], *self._words[last + 1 : last + 1 + CONTEXT_AFTER])
        return any(_is_listed(word, listed) for word in near)

    def spoke_of(self, listed: frozenset[str], first: int) -> bool:
        """Return whether one of the listed words is near before word ``first``."""
        return any(_is_listed(word, listed) for word in self._words[max(0, first - CONTEXT_REACH) : first])

    def is_a_number(self, first: int) -> bool:
        """Return whether word ``first`` is introduced as a number, of nothing that is named: "the number is"."""
        for index in range(max(0, first - LABEL_REACH), first):
            if self._words[index] in ("number", "number's") and self._words[index + 1] != "of":
                return self.label(first) is None
        return False

    def is_amount(self, first: int, last: int) -> bool:
        """Return whether a unit or a currency stands beside the words first..last."""
        after = self._words[last + 1] if last + 1 < len(self._words) else ""
        before = self._words[first - 1] if first else ""
        return after in UNITS or after in CURRENCIES or before in CURRENCIES
