package ident

import (
	"strings"

	"vidimus/internal/domain/fault"
)

// TransactionNumber is the company's own number of an identification, as it was first
// sent (3.2.6). It is compared without regard to case: see Fold.
type TransactionNumber string

// maxNumber is the longest transaction number, in characters (3.2.6).
const maxNumber = 255

// ParseTransactionNumber accepts a-z A-Z 0-9 _ and -, 1 to 255 of them. A blank one is
// fault.MissingNumber, any other mistake fault.Invalid with the key transactionnumber.
func ParseTransactionNumber(s string) (TransactionNumber, error) {
	if strings.TrimSpace(s) == "" {
		return "", fault.Of(fault.MissingNumber)
	}
	if len(s) > maxNumber {
		return "", fault.Value("transactionnumber")
	}
	for i := range len(s) {
		if !wordCharacter(s[i]) {
			return "", fault.Value("transactionnumber")
		}
	}
	return TransactionNumber(s), nil
}

func wordCharacter(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '-'
}

// Fold returns the form in which two numbers are compared: lower case ASCII.
func (n TransactionNumber) Fold() string { return strings.ToLower(string(n)) }

// ID is the Ident-ID: a company's shortcode, a hyphen, five characters (3.2.10). It is
// always upper case.
type ID string

// Alphabet holds the characters of the second part of an Ident-ID: no zero, one, I or O,
// which people mix up when they read one aloud.
const Alphabet = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"

// NewID makes an Ident-ID of a shortcode and five random bytes. len(Alphabet) divides 256,
// so each character is equally likely.
func NewID(shortcode string, random [5]byte) ID {
	b := make([]byte, 0, len(shortcode)+6)
	b = append(b, shortcode...)
	b = append(b, '-')
	for _, r := range random {
		b = append(b, Alphabet[int(r)%len(Alphabet)])
	}
	return ID(b)
}

// ParseID reads an Ident-ID in any letter case; false when s cannot be one.
func ParseID(s string) (ID, bool) {
	if len(s) != 9 || s[3] != '-' {
		return "", false
	}
	for i := range len(s) {
		// Before upper-casing, which makes an ASCII letter of some others.
		if i != 3 && (s[i] == '-' || s[i] == '_' || !wordCharacter(s[i])) {
			return "", false
		}
	}
	return ID(strings.ToUpper(s)), true
}
