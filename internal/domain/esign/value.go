package esign

import (
	"encoding/json"
	"math"
	"regexp"
	"strconv"
	"strings"

	"vidimus/internal/domain/fault"
)

// read takes a text.
func read[T any](field string, value any, into **T, parse func(string) (T, bool)) error {
	text, isText := value.(string)
	if value == nil || isText && text == "" {
		return nil
	}
	v, ok := parse(text)
	if !isText || !ok {
		return fault.Value(field)
	}
	*into = &v
	return nil
}

// boolean takes true and false, also as text.
func boolean(field string, value any, into **bool) error {
	var v bool
	switch x := value.(type) {
	case nil:
		return nil
	case bool:
		v = x
	case string:
		switch {
		case x == "":
			return nil
		case strings.EqualFold(x, "true"):
			v = true
		case !strings.EqualFold(x, "false"):
			return fault.Value(field)
		}
	default:
		return fault.Value(field)
	}
	*into = &v
	return nil
}

// aNumber is how JSON writes one, and not too long.
var aNumber = regexp.MustCompile(`^-?(0|[1-9][0-9]{0,17})(\.[0-9]{1,20})?([eE][+-]?[0-9]{1,2})?$`)

// number takes a number between the two, also as text.
func number(field string, value any, into **float64, least, most float64) error {
	var text string
	switch x := value.(type) {
	case nil:
		return nil
	case json.Number:
		text = x.String()
	case string:
		if text = x; text == "" {
			return nil
		}
	}
	v, err := strconv.ParseFloat(text, 64)
	if err != nil || !aNumber.MatchString(text) || v < least || v > most {
		return fault.Value(field)
	}
	*into = &v
	return nil
}

// integer takes a whole number between the two, also as text.
func integer(field string, value any, into **int64, least, most float64) error {
	var f *float64
	if err := number(field, value, &f, least, most); err != nil || f == nil {
		return err
	}
	if *f != math.Trunc(*f) {
		return fault.Value(field)
	}
	n := int64(*f)
	*into = &n
	return nil
}
