// Package web is what the HTTP servers share: strict JSON, who the client is, limits on
// failures, the line in the log that each request leaves, and the demand for HTTPS.
package web

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"strings"
	"unicode/utf8"

	"vidimus/internal/domain/fault"
)

// MaxBody is the most bytes that a JSON body may have.
const MaxBody = 1 << 20

// maxMembers bounds the members of one object, maxDepth how deep objects lie in each other.
const (
	maxMembers = 10_000
	maxDepth   = 16
)

// Member is one member of an object: the value is valid JSON.
type Member struct {
	Key   string
	Value json.RawMessage
}

// ReadObject reads the body of a request as one JSON object, its members in order.
// fault.UnsupportedContent for another Content-Type, fault.TooLarge, and fault.Unparseable
// for what is not JSON, not an object, has bytes after it, a key twice at any depth, or is
// not UTF-8.
func ReadObject(w http.ResponseWriter, r *http.Request) ([]Member, error) {
	kind, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "application/json" || params["charset"] != "" && !strings.EqualFold(params["charset"], "utf-8") {
		return nil, fault.New(fault.UnsupportedContent, "The Content-Type must be application/json").In("Content-Type")
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, MaxBody))
	if err != nil {
		if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
			return nil, fault.New(fault.TooLarge, "The body is larger than %d bytes", MaxBody)
		}
		return nil, fault.Of(fault.Unparseable).Because(err)
	}
	return ParseObject(body)
}

// ParseObject is ReadObject for bytes that are there already.
func ParseObject(body []byte) ([]Member, error) {
	if !utf8.Valid(body) || !json.Valid(body) {
		return nil, fault.Of(fault.Unparseable)
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	if err := walk(d, 0); err != nil {
		return nil, fault.Of(fault.Unparseable).Because(err)
	}
	return members(body)
}

// members splits an object that is known to be valid.
func members(body []byte) ([]Member, error) {
	d := json.NewDecoder(bytes.NewReader(body))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, fault.Of(fault.Unparseable)
	}
	var list []Member
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return nil, fault.Of(fault.Unparseable).Because(err)
		}
		m := Member{}
		m.Key, _ = key.(string)
		if err := d.Decode(&m.Value); err != nil {
			return nil, fault.Of(fault.Unparseable).Because(err)
		}
		list = append(list, m)
	}
	return list, nil
}

var (
	errTwice = errors.New("a key twice in one object")
	errDeep  = errors.New("too deep or too many members")
)

// walk looks for keys that stand twice in an object.
func walk(d *json.Decoder, depth int) error {
	if depth > maxDepth {
		return errDeep
	}
	t, err := d.Token()
	if err != nil {
		return err
	}
	switch t {
	case json.Delim('{'):
		seen := map[string]bool{}
		for d.More() {
			key, err := d.Token()
			if err != nil {
				return err
			}
			name, _ := key.(string)
			if seen[name] {
				return errTwice
			}
			if seen[name] = true; len(seen) > maxMembers {
				return errDeep
			}
			if err := walk(d, depth+1); err != nil {
				return err
			}
		}
		_, err = d.Token()
	case json.Delim('['):
		for d.More() {
			if err := walk(d, depth+1); err != nil {
				return err
			}
		}
		_, err = d.Token()
	}
	return err
}

// Scalar returns a JSON value as string, json.Number, bool or nil; false for an object or
// an array.
func Scalar(value json.RawMessage) (any, bool) {
	d := json.NewDecoder(bytes.NewReader(value))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, false
	}
	switch v.(type) {
	case string, json.Number, bool, nil:
		return v, true
	default:
		return nil, false
	}
}
