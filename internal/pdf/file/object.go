// Package file reads the structure of PDF files and appends to them: what signing needs, and
// not what showing needs. It follows ISO 32000-1, 7.2 to 7.7, reads what others wrote
// carelessly where it can be read in one way only, and changes files by incremental updates
// alone (7.5.6): no byte that was there is touched. Everything that it reads is foreign:
// depths, counts and sizes are bounded.
package file

import (
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Object is one of nil, bool, Number, Name, String, Array, Dict, Ref and *Stream.
type Object any

// Number is a number as it is written: 1, -2.50, +.5.
type Number string

// Name is a name without its slash, decoded.
type Name string

// String is a string of either form, decoded.
type String []byte

// Array is an array.
type Array []Object

// Dict is a dictionary.
type Dict map[Name]Object

// Ref refers to an object.
type Ref struct{ Num, Gen int }

// Stream is a stream with its data as it is stored, which is a part of the file.
type Stream struct {
	Dict
	Raw []byte
}

// Int returns the whole number; false when n is none, or larger than 32 bits.
func (n Number) Int() (int, bool) {
	v, err := strconv.ParseInt(strings.TrimPrefix(string(n), "+"), 10, 64)
	if err != nil {
		f, err := strconv.ParseFloat(string(n), 64)
		if err != nil || f != float64(int32(f)) {
			return 0, false
		}
		v = int64(f)
	}
	return int(v), v >= -1<<31 && v < 1<<31
}

// Float returns the number; 0 for what is none.
func (n Number) Float() float64 {
	v, err := strconv.ParseFloat(string(n), 64)
	if err != nil {
		return 0
	}
	return v
}

// Real writes a number with at most four decimals.
func Real(v float64) Number {
	s := strconv.FormatFloat(v, 'f', 4, 64)
	s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	if s == "-0" || s == "" {
		s = "0"
	}
	return Number(s)
}

// Int writes a whole number.
func Int(v int) Number { return Number(strconv.Itoa(v)) }

// Text is a text string (7.9.2.2): ASCII as it is, everything else in UTF-16 with its mark.
func Text(s string) String {
	ascii := true
	for _, r := range s {
		ascii = ascii && r < 0x7f && r >= ' '
	}
	if ascii {
		return String(s)
	}
	b := []byte{0xFE, 0xFF}
	for _, r := range s {
		if r >= 0x10000 {
			r -= 0x10000
			high, low := 0xD800+(r>>10), 0xDC00+(r&0x3FF)
			b = append(b, byte(high>>8), byte(high), byte(low>>8), byte(low)) //nolint:gosec // halves of 16 bits
			continue
		}
		b = append(b, byte(r>>8), byte(r)) //nolint:gosec // 16 bits
	}
	return b
}

// Clone returns a copy that can be changed without changing d.
func (d Dict) Clone() Dict {
	if d == nil {
		return Dict{}
	}
	return maps.Clone(d)
}

// Append writes an object behind b, as a file has it: keys in their order, strings in
// hexadecimal, a stream with its data.
func Append(b []byte, o Object) []byte {
	switch v := o.(type) {
	case nil:
		return append(b, "null"...)
	case bool:
		return strconv.AppendBool(b, v)
	case Number:
		return append(b, v...)
	case Name:
		return appendName(b, v)
	case String:
		b = append(b, '<')
		b = hex.AppendEncode(b, v)
		return append(b, '>')
	case Ref:
		return fmt.Appendf(b, "%d %d R", v.Num, v.Gen)
	case Array:
		b = append(b, '[')
		for i, e := range v {
			if i > 0 {
				b = append(b, ' ')
			}
			b = Append(b, e)
		}
		return append(b, ']')
	case Dict:
		return appendDict(b, v)
	case *Stream:
		b = appendDict(b, v.Dict)
		b = append(b, "\nstream\n"...)
		b = append(b, v.Raw...)
		return append(b, "\nendstream"...)
	}
	panic(fmt.Sprintf("file: %T is no object", o)) // only our own code makes objects
}

func appendDict(b []byte, d Dict) []byte {
	b = append(b, "<<"...)
	for _, k := range slices.Sorted(maps.Keys(d)) {
		b = appendName(b, k)
		switch d[k].(type) {
		case nil, bool, Number, Ref:
			b = append(b, ' ')
		}
		b = Append(b, d[k])
	}
	return append(b, ">>"...)
}

func appendName(b []byte, n Name) []byte {
	b = append(b, '/')
	for _, c := range []byte(n) {
		if c <= ' ' || c >= 0x7f || c == '#' || isDelimiter(c) {
			b = fmt.Appendf(b, "#%02X", c)
			continue
		}
		b = append(b, c)
	}
	return b
}
