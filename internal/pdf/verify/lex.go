package verify

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"
)

// The values of a document: nil, bool, int, float64, name, *text, array, dict, ref, *stream.
type (
	name  string
	array []any
	dict  map[name]any
	ref   struct{ num, gen int }
	// text is a string, and where it stands in the file: from its first delimiter to behind
	// its last. A string in an object stream stands nowhere.
	text struct {
		s        string
		at, end  int
		hex      bool
		inStream bool
	}
	stream struct {
		dict dict
		raw  []byte
		at   int // where raw begins in the file
	}
)

// The bounds of what is read.
const (
	maxDepth   = 64
	maxObjects = 4 << 20   // numbers of a document
	maxTokens  = 12 << 20  // of all revisions that are looked at for one report
	maxInflate = 256 << 20 // bytes, likewise
	maxDigits  = 10        // of a whole number: no offset has more, and sums of two never overflow
	maxNumber  = 9_999_999_999

	// What checks cost, in tokens.
	checkCost  = 500 // a check by a public key
	answerCost = 100 // looking into an OCSP answer
	listedPer  = 10  // entries of a CRL for a token
)

var (
	errMuch   = errors.New("the document is too large or too tangled to be judged")
	errSyntax = errors.New("the document cannot be read here")
	errCut    = fmt.Errorf("%w, where it ends before its object does", errSyntax)
)

// budget bounds the work for one report.
type budget struct {
	ctx             context.Context //nolint:containedctx // it lives as long as the one call that it belongs to
	tokens, inflate int
}

func newBudget(ctx context.Context) *budget { return &budget{ctx, maxTokens, maxInflate} }

// token is asked before each step of the work.
func (b *budget) token() error {
	if b.tokens--; b.tokens < 0 {
		return errMuch
	}
	if b.tokens%4096 == 0 {
		return b.ctx.Err()
	}
	return nil
}

// spend takes many steps at once, and looks whether the time is over.
func (b *budget) spend(steps int) error {
	if b.tokens -= steps; b.tokens < 0 {
		return errMuch
	}
	return b.ctx.Err()
}

// fatal says whether an error ends the work, rather than being about one object.
func fatal(err error) bool { return err != nil && !errors.Is(err, errSyntax) }

// lexer reads values out of b.
type lexer struct {
	b        []byte
	at       int
	inStream bool
	budget   *budget
}

func isSpace(c byte) bool {
	return c == ' ' || c == '\n' || c == '\r' || c == '\t' || c == '\f' || c == 0
}

func isDelimiter(c byte) bool { return bytes.IndexByte([]byte("()<>[]{}/%"), c) >= 0 }

// fault is why something cannot be read: more bytes could mend it, or nothing can.
func (l *lexer) fault() error {
	if l.at >= len(l.b) {
		return errCut
	}
	return errSyntax
}

// space skips blanks and comments.
func (l *lexer) space() {
	for l.at < len(l.b) {
		switch c := l.b[l.at]; {
		case isSpace(c):
			l.at++
		case c == '%':
			for l.at < len(l.b) && l.b[l.at] != '\n' && l.b[l.at] != '\r' {
				l.at++
			}
		default:
			return
		}
	}
}

// word takes regular characters; there may be none.
func (l *lexer) word() string {
	start := l.at
	for l.at < len(l.b) && !isSpace(l.b[l.at]) && !isDelimiter(l.b[l.at]) {
		l.at++
	}
	return string(l.b[start:l.at])
}

// keyword takes a word if it is the one wanted.
func (l *lexer) keyword(want string) bool {
	l.space()
	back := l.at
	if l.word() == want {
		return true
	}
	l.at = back
	return false
}

// integer takes a number without sign.
func (l *lexer) integer() (int, bool) {
	l.space()
	back := l.at
	w := l.word()
	n, err := strconv.Atoi(w)
	if err != nil || n < 0 || len(w) > maxDigits || w[0] == '+' || w[0] == '-' {
		l.at = back
		return 0, false
	}
	return n, true
}

// value takes one value.
func (l *lexer) value(depth int) (any, error) {
	if err := l.budget.token(); err != nil {
		return nil, err
	}
	if l.space(); l.at >= len(l.b) || depth > maxDepth {
		return nil, errSyntax
	}
	switch c := l.b[l.at]; {
	case c == '/':
		l.at++
		return l.name()
	case c == '(':
		return l.literal()
	case c == '[':
		l.at++
		return l.array(depth)
	case c == '<':
		if l.at+1 < len(l.b) && l.b[l.at+1] == '<' {
			l.at += 2
			return l.dict(depth)
		}
		return l.hex()
	case isDelimiter(c):
		return nil, errSyntax
	}
	return l.plain()
}

// plain takes a number, a reference or a keyword.
func (l *lexer) plain() (any, error) {
	if num, ok := l.integer(); ok {
		back := l.at
		if gen, ok := l.integer(); ok && gen <= 0xffff && l.keyword("R") {
			return ref{num, gen}, nil
		}
		l.at = back
		return num, nil
	}
	switch w := l.word(); w {
	case "true":
		return true, nil
	case "false":
		return false, nil
	case "null":
		return nil, nil
	default:
		if n, err := strconv.Atoi(w); err == nil && max(n, -n) <= maxNumber && n != math.MinInt {
			return n, nil
		}
		f, err := strconv.ParseFloat(w, 64)
		if err != nil {
			return nil, errSyntax
		}
		return f, nil
	}
}

func (l *lexer) name() (any, error) {
	w := l.word()
	if !bytes.Contains([]byte(w), []byte{'#'}) {
		return name(w), nil
	}
	out := make([]byte, 0, len(w))
	for i := 0; i < len(w); i++ {
		if w[i] == '#' && i+2 < len(w) {
			if v, err := strconv.ParseUint(w[i+1:i+3], 16, 8); err == nil {
				out = append(out, byte(v))
				i += 2
				continue
			}
		}
		out = append(out, w[i])
	}
	return name(out), nil
}

func (l *lexer) array(depth int) (any, error) {
	list := array{}
	for {
		if l.space(); l.at < len(l.b) && l.b[l.at] == ']' {
			l.at++
			return list, nil
		}
		v, err := l.value(depth + 1)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
}

// twice is the key that marks a dictionary with a key that stands twice: readers differ about
// which counts.
const twice name = "\x00"

// dict takes a dictionary.
func (l *lexer) dict(depth int) (any, error) {
	d := dict{}
	for {
		l.space()
		if l.at+1 < len(l.b) && l.b[l.at] == '>' && l.b[l.at+1] == '>' {
			l.at += 2
			return d, nil
		}
		if l.at >= len(l.b) || l.b[l.at] != '/' {
			return nil, errSyntax
		}
		l.at++
		k, err := l.name()
		if err != nil {
			return nil, err
		}
		v, err := l.value(depth + 1)
		if err != nil {
			return nil, err
		}
		key, _ := k.(name)
		if _, there := d[key]; there {
			d[twice] = true
			continue
		}
		d[key] = v
	}
}

func (l *lexer) hex() (any, error) {
	t := &text{at: l.at, hex: true, inStream: l.inStream}
	l.at++
	var out []byte
	half, odd := byte(0), false
	for ; ; l.at++ {
		if l.at >= len(l.b) {
			return nil, errSyntax
		}
		c := l.b[l.at]
		v, ok := hexDigit(c)
		switch {
		case c == '>':
			l.at++
			if odd {
				out = append(out, half<<4)
			}
			t.s, t.end = string(out), l.at
			return t, nil
		case isSpace(c):
		case !ok:
			return nil, errSyntax
		case odd:
			out, odd = append(out, half<<4|v), false
		default:
			half, odd = v, true
		}
	}
}

func hexDigit(c byte) (byte, bool) {
	switch {
	case '0' <= c && c <= '9':
		return c - '0', true
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10, true
	case 'A' <= c && c <= 'F':
		return c - 'A' + 10, true
	}
	return 0, false
}

var escapes = map[byte]byte{'n': '\n', 'r': '\r', 't': '\t', 'b': '\b', 'f': '\f'}

func (l *lexer) literal() (any, error) {
	t := &text{at: l.at, inStream: l.inStream}
	var out []byte
	open := 0
	for ; ; l.at++ {
		if l.at >= len(l.b) {
			return nil, errSyntax
		}
		c := l.b[l.at]
		switch c {
		case '(':
			if open++; open == 1 {
				continue
			}
		case ')':
			if open--; open == 0 {
				l.at++
				t.s, t.end = string(out), l.at
				return t, nil
			}
		case '\\':
			out = l.escape(out)
			continue
		}
		out = append(out, c)
	}
}

// escape takes what stands behind a backslash, but for the last character of it.
func (l *lexer) escape(out []byte) []byte {
	if l.at+1 >= len(l.b) {
		return out
	}
	l.at++
	c := l.b[l.at]
	switch {
	case '0' <= c && c <= '7':
		v := 0
		for n := 0; n < 3 && l.at < len(l.b) && '0' <= l.b[l.at] && l.b[l.at] <= '7'; n++ {
			v = v*8 + int(l.b[l.at]-'0')
			l.at++
		}
		l.at--
		return append(out, byte(v&0xFF)) // what is more is ignored, 7.3.4.2
	case c == '\r':
		if l.at+1 < len(l.b) && l.b[l.at+1] == '\n' {
			l.at++
		}
		return out
	case c == '\n':
		return out
	}
	if e, ok := escapes[c]; ok {
		c = e
	}
	return append(out, c)
}
