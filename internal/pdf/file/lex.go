package file

import (
	"bytes"
	"errors"
	"fmt"
)

// maxDepth is how deep arrays and dictionaries may lie in each other, maxMembers how many
// there may be in one.
const (
	maxDepth   = 64
	maxMembers = 1 << 20
	maxWord    = 1 << 12 // bytes of a name, a number, a keyword
)

// budget is what may still be read of a file: objects that overlap are read again and again.
type budget struct{ bytes, objects int }

// errSyntax says that there is no object where one should be.
var errSyntax = errors.New("no object where one should be")

// lexer reads objects from data, from pos on.
type lexer struct {
	data   []byte
	pos    int
	budget *budget // nil: none
}

func isSpace(c byte) bool {
	return c == ' ' || c == '\n' || c == '\r' || c == '\t' || c == '\f' || c == 0
}

func isDelimiter(c byte) bool {
	return c == '(' || c == ')' || c == '<' || c == '>' || c == '[' || c == ']' || c == '{' || c == '}' || c == '/' || c == '%'
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// space passes blanks and comments.
func (l *lexer) space() {
	for l.pos < len(l.data) {
		switch c := l.data[l.pos]; {
		case isSpace(c):
			l.pos++
		case c == '%':
			for l.pos < len(l.data) && l.data[l.pos] != '\n' && l.data[l.pos] != '\r' {
				l.pos++
			}
		default:
			return
		}
	}
}

// word returns the run of regular characters at pos, without passing it.
func (l *lexer) word() []byte {
	end, last := l.pos, min(len(l.data), l.pos+maxWord)
	for end < last && !isSpace(l.data[end]) && !isDelimiter(l.data[end]) {
		end++
	}
	return l.data[l.pos:end]
}

// keyword passes the word if it is next.
func (l *lexer) keyword(s string) bool {
	l.space()
	if string(l.word()) != s {
		return false
	}
	l.pos += len(s)
	return true
}

// integer passes an unsigned whole number of at most ten digits.
func (l *lexer) integer() (int, bool) {
	l.space()
	w := l.word()
	if len(w) == 0 || len(w) > 10 {
		return 0, false
	}
	v := 0
	for _, c := range w {
		if !isDigit(c) {
			return 0, false
		}
		v = v*10 + int(c-'0')
	}
	l.pos += len(w)
	return v, true
}

func (l *lexer) object(depth int) (Object, error) {
	if depth > maxDepth {
		return nil, errors.New("objects lie too deep in each other")
	}
	if b := l.budget; b != nil {
		if b.objects--; b.objects < 0 || b.bytes < 0 {
			return nil, errors.New("there is too much to read")
		}
	}
	l.space()
	if l.pos >= len(l.data) {
		return nil, errSyntax
	}
	switch c := l.data[l.pos]; c {
	case '/':
		return l.name()
	case '(':
		return l.literal()
	case '[':
		return l.array(depth)
	case '<':
		if l.pos+1 < len(l.data) && l.data[l.pos+1] == '<' {
			return l.dict(depth)
		}
		return l.hexadecimal()
	}
	return l.simple()
}

// simple reads a number, a reference, or a word.
func (l *lexer) simple() (Object, error) {
	w := l.word()
	if len(w) == 0 {
		return nil, errSyntax
	}
	switch string(w) {
	case "null":
		l.pos += 4
		return nil, nil
	case "true":
		l.pos += 4
		return true, nil
	case "false":
		l.pos += 5
		return false, nil
	}
	if !isNumber(w) {
		return nil, fmt.Errorf("%w at %d", errSyntax, l.pos)
	}
	begin := l.pos
	if num, ok := l.integer(); ok {
		after := l.pos
		if gen, ok := l.integer(); ok && gen <= 65535 && l.keyword("R") {
			return Ref{num, gen}, nil
		}
		l.pos = after
		return Number(l.data[begin:after]), nil
	}
	l.pos = begin + len(w)
	return Number(w), nil
}

func isNumber(w []byte) bool {
	digits, dots := 0, 0
	for i, c := range w {
		switch {
		case isDigit(c):
			digits++
		case c == '.':
			dots++
		case (c == '-' || c == '+') && i == 0:
		default:
			return false
		}
	}
	return digits > 0 && dots <= 1 && len(w) <= 40
}

func (l *lexer) name() (Object, error) {
	l.pos++
	w := l.word()
	l.pos += len(w)
	if !bytes.Contains(w, []byte("#")) {
		return Name(w), nil
	}
	out := make([]byte, 0, len(w))
	for i := 0; i < len(w); i++ {
		if w[i] == '#' && i+2 < len(w) && digit(w[i+1]) >= 0 && digit(w[i+2]) >= 0 {
			out = append(out, byte(digit(w[i+1])<<4|digit(w[i+2]))) //nolint:gosec // two digits
			i += 2
			continue
		}
		out = append(out, w[i])
	}
	return Name(out), nil
}

// digit is the value of a hexadecimal digit; -1: it is none.
func digit(c byte) int {
	switch {
	case isDigit(c):
		return int(c - '0')
	case c >= 'a' && c <= 'f':
		return int(c-'a') + 10
	case c >= 'A' && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}

func (l *lexer) hexadecimal() (Object, error) {
	var out String
	high := -1
	for l.pos++; l.pos < len(l.data); l.pos++ {
		c := l.data[l.pos]
		if c == '>' {
			l.pos++
			if high >= 0 {
				out = append(out, byte(high<<4)) //nolint:gosec // one digit
			}
			return out, nil
		}
		v := digit(c)
		switch {
		case isSpace(c):
		case v < 0:
			return nil, fmt.Errorf("%w at %d", errSyntax, l.pos)
		case high < 0:
			high = v
		default:
			out = append(out, byte(high<<4|v)) //nolint:gosec // two digits
			high = -1
		}
	}
	return nil, errSyntax
}

// escapes are the letters that stand for one character behind a backslash.
var escapes = map[byte]byte{'n': '\n', 'r': '\r', 't': '\t', 'b': '\b', 'f': '\f'}

func (l *lexer) literal() (Object, error) {
	var out String
	open := 0
	for l.pos++; l.pos < len(l.data); l.pos++ {
		c := l.data[l.pos]
		switch c {
		case '(':
			open++
		case ')':
			if open == 0 {
				l.pos++
				return out, nil
			}
			open--
		case '\\':
			out = l.escape(out)
			continue
		}
		out = append(out, c)
	}
	return nil, errSyntax
}

// escape reads what follows a backslash, and stays on its last character.
func (l *lexer) escape(out String) String {
	l.pos++
	if l.pos >= len(l.data) {
		return out
	}
	c := l.data[l.pos]
	if v, ok := escapes[c]; ok {
		return append(out, v)
	}
	switch {
	case c == '\r':
		if l.pos+1 < len(l.data) && l.data[l.pos+1] == '\n' {
			l.pos++
		}
		return out
	case c == '\n':
		return out
	case c < '0' || c > '7':
		return append(out, c)
	}
	v := 0
	for n := 0; n < 3 && l.pos < len(l.data) && l.data[l.pos] >= '0' && l.data[l.pos] <= '7'; n++ {
		v = v<<3 | int(l.data[l.pos]-'0')
		l.pos++
	}
	l.pos--
	return append(out, byte(v&0xFF)) // what is more is ignored, 7.3.4.2
}

func (l *lexer) array(depth int) (Object, error) {
	l.pos++
	list := Array{}
	for {
		l.space()
		if l.pos >= len(l.data) {
			return nil, errSyntax
		}
		if l.data[l.pos] == ']' {
			l.pos++
			return list, nil
		}
		o, err := l.object(depth + 1)
		if err != nil {
			return nil, err
		}
		if list = append(list, o); len(list) > maxMembers {
			return nil, errors.New("an array is too long")
		}
	}
}

func (l *lexer) dict(depth int) (Object, error) {
	l.pos += 2
	d := Dict{}
	for {
		l.space()
		switch {
		case l.pos+1 >= len(l.data):
			return nil, errSyntax
		case l.data[l.pos] == '>' && l.data[l.pos+1] == '>':
			l.pos += 2
			return d, nil
		case l.data[l.pos] != '/':
			return nil, fmt.Errorf("%w at %d", errSyntax, l.pos)
		}
		key, err := l.name()
		if err != nil {
			return nil, err
		}
		v, err := l.object(depth + 1)
		if err != nil {
			return nil, err
		}
		if v != nil { // a null is as good as absent
			d[key.(Name)] = v
		}
		if len(d) > maxMembers {
			return nil, errors.New("a dictionary is too long")
		}
	}
}
