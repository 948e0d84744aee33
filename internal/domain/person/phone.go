package person

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// The bounds of a number in E.164, country code included. Nothing that short is dialled
// from abroad.
const (
	minDigits = 7
	maxDigits = 15
)

// E164 returns a telephone number as a network takes it: a plus sign, the country code, the
// number, digits only. A number that names no country, by + or 00, is one of the given
// country (3.2.8: 49), with or without its leading zero. Spaces, brackets, dots, slashes
// and hyphens are passed over. False when phone cannot be a number.
func E164(phone, country string) (string, bool) {
	digits, international, ok := dialled(phone)
	if !ok {
		return "", false
	}
	if !international {
		if rest, yes := strings.CutPrefix(digits, "00"); yes {
			digits, international = rest, true
		}
	}
	if !international {
		digits = country + strings.TrimPrefix(digits, "0")
	}
	// Many write +49 0151, and no German number begins with a zero.
	if rest, yes := strings.CutPrefix(digits, "490"); yes {
		digits = "49" + rest
	}
	if len(digits) < minDigits || len(digits) > maxDigits || digits[0] == '0' || strings.HasPrefix(digits, "490") {
		return "", false
	}
	return "+" + digits, true
}

// dialled returns the digits of s, and whether a plus sign leads them.
func dialled(s string) (digits string, plus, ok bool) {
	s = strings.TrimSpace(s)
	s, plus = strings.CutPrefix(s, "+")
	if plus || strings.HasPrefix(s, "00") {
		// "(0)" is for those who dial inside the country.
		s = strings.Replace(s, "(0)", "", 1)
	}
	var b strings.Builder
	for _, r := range s {
		switch {
		case r >= '0' && r <= '9':
			b.WriteRune(r)
		case r == '/' || r == '.' || r == '(' || r == ')' || unicode.Is(unicode.Zs, r) || unicode.Is(unicode.Pd, r):
		default:
			return "", false, false
		}
	}
	return b.String(), plus, true
}

// Masked tells where a code is sent so that only who knows the address recognises it: the
// last three digits of the phone, or else the first letter and the domain of the mail
// address. Empty: there is neither.
func Masked(a Application) string {
	if phone, ok := E164(a.MobilePhone, "49"); ok && len(phone) > 6 {
		return phone[:3] + strings.Repeat("*", len(phone)-6) + phone[len(phone)-3:]
	}
	if at := strings.LastIndexByte(a.Email, '@'); at > 0 {
		_, size := utf8.DecodeRuneInString(a.Email)
		return a.Email[:size] + "***" + a.Email[at:]
	}
	return ""
}
