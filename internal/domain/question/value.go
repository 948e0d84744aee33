package question

import (
	"encoding/json"
	"errors"
	"strconv"
)

// Value is one answer: text or an integer, as the type of the question demands. The zero
// Value is the empty text, which means: not answered.
type Value struct {
	text    string
	integer int64
	isInt   bool
}

// Text returns a text answer.
func Text(s string) Value { return Value{text: s} }

// Integer returns an integer answer; RADIO_BOOLEAN and CUSTOM_IMAGE use 0 and 1.
func Integer(n int64) Value { return Value{integer: n, isInt: true} }

// Int returns the integer and whether the answer is one.
func (v Value) Int() (int64, bool) { return v.integer, v.isInt }

// String returns the answer as XML and people see it: the text, or the integer in decimal.
func (v Value) String() string {
	if v.isInt {
		return strconv.FormatInt(v.integer, 10)
	}
	return v.text
}

// IsZero says whether nothing was answered.
func (v Value) IsZero() bool { return !v.isInt && v.text == "" }

// MarshalJSON writes a JSON number or string (13.1.7).
func (v Value) MarshalJSON() ([]byte, error) {
	if v.isInt {
		return strconv.AppendInt(nil, v.integer, 10), nil
	}
	return json.Marshal(v.text)
}

// UnmarshalJSON reads what MarshalJSON wrote: a string or an integer without fraction.
func (v *Value) UnmarshalJSON(b []byte) error {
	var s string
	if json.Unmarshal(b, &s) == nil {
		*v = Text(s)
		return nil
	}
	n, err := strconv.ParseInt(string(b), 10, 64)
	if err != nil {
		return errors.New("a question's value is a string or an integer")
	}
	*v = Integer(n)
	return nil
}
