package mrz

import "strings"

// Digit returns the check digit of Doc 9303 part 3, 4.9 ("0" to "9") over the parts as
// if they were one string: weights 7, 3, 1 in turn, A to Z count 10 to 35 and everything
// else but a digit counts nothing.
func Digit(parts ...string) string { return digit(parts...) }

func digit(parts ...string) string {
	sum, at := 0, 0
	for _, part := range parts {
		for i := range len(part) {
			sum += value(part[i]) * [3]int{7, 3, 1}[at%3]
			at++
		}
	}
	return string(rune('0' + sum%10))
}

func value(c byte) int {
	switch {
	case isDigit(c):
		return int(c - '0')
	case c >= 'A' && c <= 'Z':
		return int(c-'A') + 10
	}
	return 0
}

// CheckError says which check digits of a well-formed zone are wrong. Such a zone was
// misread, or it is forged.
type CheckError struct {
	// Fields are out of: "number", "birthday", "validuntil", "optional", "composite".
	Fields []string
}

func (e *CheckError) Error() string {
	return "machine-readable zone: wrong check digit of " + strings.Join(e.Fields, ", ")
}
