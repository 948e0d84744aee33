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
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"
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
// for what is not JSON, not an object, has bytes after it, a key twice at any depth, is not
// UTF-8, or escapes half of a surrogate pair (RFC 8259, 8.2), which is no text.
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
	at := skipSpace(body, 0)
	if body[at] != '{' {
		return nil, fault.Of(fault.Unparseable)
	}
	var list []Member
	_, err := object(body, at, 0, func(m Member) { list = append(list, m) })
	if err != nil {
		return nil, fault.Of(fault.Unparseable).Because(err)
	}
	return list, nil
}

var (
	errTwice = errors.New("a key twice in one object")
	errDeep  = errors.New("too deep or too many members")
	errHalf  = errors.New("half of a surrogate pair")
)

// The functions below go over text that encoding/json has found valid, so they need
// not look for mistakes of form; each returns the index behind what it has passed.

// object passes the object at i, and tells each of its members unless found is nil. A key
// that stands twice, here or deeper, is errTwice.
func object(text []byte, i, depth int, found func(Member)) (int, error) {
	if depth > maxDepth {
		return 0, errDeep
	}
	seen := make(map[string]struct{})
	for i = skipSpace(text, i+1); text[i] != '}'; {
		end, err := skipString(text, i)
		if err != nil {
			return 0, err
		}
		key, err := unquote(text[i:end])
		if err != nil {
			return 0, err
		}
		if _, twice := seen[key]; twice {
			return 0, errTwice
		}
		if seen[key] = struct{}{}; len(seen) > maxMembers {
			return 0, errDeep
		}
		i = skipSpace(text, skipSpace(text, end)+1) // the colon
		if end, err = skipValue(text, i, depth+1); err != nil {
			return 0, err
		}
		if found != nil {
			found(Member{Key: key, Value: text[i:end:end]})
		}
		if i = skipSpace(text, end); text[i] == ',' {
			i = skipSpace(text, i+1)
		}
	}
	return i + 1, nil
}

// skipValue passes whatever value stands at i.
func skipValue(text []byte, i, depth int) (int, error) {
	if depth > maxDepth {
		return 0, errDeep
	}
	switch text[i] {
	case '"':
		return skipString(text, i)
	case '{':
		return object(text, i, depth, nil)
	case '[':
		var err error
		for i = skipSpace(text, i+1); text[i] != ']'; {
			if i, err = skipValue(text, i, depth+1); err != nil {
				return 0, err
			}
			if i = skipSpace(text, i); text[i] == ',' {
				i = skipSpace(text, i+1)
			}
		}
		return i + 1, nil
	}
	for i < len(text) && !strings.ContainsRune(" \t\r\n,]}", rune(text[i])) {
		i++
	}
	return i, nil
}

// skipString passes the string at i; half of a surrogate pair in it is errHalf, since
// encoding/json would put another character in its place.
func skipString(text []byte, i int) (int, error) {
	for i++; text[i] != '"'; i++ {
		if text[i] != '\\' {
			continue
		}
		if i++; text[i] != 'u' {
			continue
		}
		first := escaped(text, i)
		if i += 4; !utf16.IsSurrogate(first) {
			continue
		}
		if text[i+1] != '\\' || text[i+2] != 'u' || utf16.DecodeRune(first, escaped(text, i+2)) == unicode.ReplacementChar {
			return 0, errHalf
		}
		i += 6
	}
	return i + 1, nil
}

// escaped reads the four hexadecimal digits behind the u at i.
func escaped(text []byte, i int) rune {
	n, _ := strconv.ParseUint(string(text[i+1:i+5]), 16, 16) // encoding/json has found them valid
	return rune(n)
}

func skipSpace(text []byte, i int) int {
	for i < len(text) && (text[i] == ' ' || text[i] == '\t' || text[i] == '\r' || text[i] == '\n') {
		i++
	}
	return i
}

// unquote reads a JSON string; most have nothing that is escaped.
func unquote(quoted []byte) (string, error) {
	if bytes.IndexByte(quoted, '\\') < 0 {
		return string(quoted[1 : len(quoted)-1]), nil
	}
	var s string
	err := json.Unmarshal(quoted, &s)
	return s, err
}

// Scalar returns a JSON value as string, json.Number, bool or nil; false for an object or
// an array.
func Scalar(value json.RawMessage) (any, bool) {
	if len(value) > 1 && value[0] == '"' && value[len(value)-1] == '"' && bytes.IndexByte(value, '\\') < 0 && json.Valid(value) {
		return string(value[1 : len(value)-1]), true
	}
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
