package web

import (
	"bytes"
	"encoding/json"
	"errors"
	"regexp"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// slowParse does what ParseObject does, token by token with the standard decoder: slower,
// and easy to be sure of.
func slowParse(body []byte) ([]Member, bool) {
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	if !json.Valid(body) || slowWalk(d, 0) != nil {
		return nil, false
	}
	d = json.NewDecoder(bytes.NewReader(body))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, false
	}
	var list []Member
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return nil, false
		}
		m := Member{}
		m.Key, _ = key.(string)
		if d.Decode(&m.Value) != nil {
			return nil, false
		}
		list = append(list, m)
	}
	return list, true
}

func slowWalk(d *json.Decoder, depth int) error {
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
			key, _ := d.Token()
			name, _ := key.(string)
			if seen[name] {
				return errTwice
			}
			if seen[name] = true; len(seen) > maxMembers {
				return errors.New("many")
			}
			if err := slowWalk(d, depth+1); err != nil {
				return err
			}
		}
		_, err = d.Token()
	case json.Delim('['):
		for d.More() {
			if err := slowWalk(d, depth+1); err != nil {
				return err
			}
		}
		_, err = d.Token()
	}
	return err
}

var (
	anEscape = regexp.MustCompile(`\\(u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|.)`)
	aHalf    = regexp.MustCompile(`^\\u[dD][89a-fA-F]`)
)

// half says whether valid JSON escapes half of a surrogate pair: once whole pairs are taken
// out, one after the other with the other escapes, what begins like one is a half.
func half(body []byte) bool {
	for at := 0; ; {
		found := anEscape.FindIndex(body[at:])
		if found == nil {
			return false
		}
		whole := found[1]-found[0] > 2
		if !whole && aHalf.Match(body[at+found[0]:]) {
			return true
		}
		at += found[1]
	}
}

func FuzzParseObjectAgreesWithTheDecoder(f *testing.F) {
	for _, s := range []string{`{}`, ` { "a" : 1 , "b":[ ],"c": [1, {"x":null}, "q\"]" ] , "d":{"a":true}} `, `{"a":1,"a":2}`, `{"\u0061":1,"a":2}`, `[]`, `1`, `{"a":{"b":-1.5e3}}`,
		`[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]`, `{"a":[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]}`, `{"a":"\\"}`, "{\"a\":1\n}", `{"a":[{},{}],"b":"\ud800"}`, `{"\ud800":1,"\ud801":2}`,
		`{"a":"\ud83d\ude00\\ud800\ufffd"}`, `{"a":"\udc00"}`, `{"a":["\ud800\ud800\udc00"]}`, `{"a":"\ud800\n"}`, `{"a":"\uD800u0041"}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := ParseObject(b)
		want, ok := slowParse(b)
		ok = ok && !half(b)
		if !bytes.Equal(b, bytes.ToValidUTF8(b, []byte("?"))) {
			return
		}
		if (err == nil) != ok {
			t.Fatalf("%q: %v, the decoder takes it: %v", b, err, ok)
		}
		if d := cmp.Diff(want, got); ok && d != "" {
			t.Fatal(d)
		}
		for _, m := range got {
			x, xok := Scalar(m.Value)
			d := json.NewDecoder(bytes.NewReader(m.Value))
			d.UseNumber()
			var v any
			_ = d.Decode(&v)
			switch v.(type) {
			case string, json.Number, bool, nil:
				if !xok || x != v {
					t.Fatalf("%q %v %v", m.Value, x, v)
				}
			default:
				if xok {
					t.Fatal("scalar")
				}
			}
		}
	})
}
