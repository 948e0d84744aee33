package e2e

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"reflect"
	"regexp"
	"strconv"
	"strings"
)

// http sends a request and keeps the answer:
// http [-k APIKEY] [-t TOKEN] [-H 'NAME: VALUE']… [-d BODY] [-f FILE] [-o FILE] [-n NODE] METHOD PATH.
func (w *world) http(args []string) error {
	opts, rest, err := options(args, "ktHdfon")
	if err != nil || len(rest) != 2 {
		return fmt.Errorf("usage: http [OPTION]… METHOD PATH: %w", err)
	}
	base := w.ts.Getenv("HOST")
	if name := first(opts["n"], ""); name != "" {
		n, err := w.node([]string{name})
		if err != nil {
			return err
		}
		base = "http://" + n.addr
	}
	header := http.Header{}
	if opts["d"] != nil || opts["f"] != nil {
		header.Set("Content-Type", "application/json")
	}
	for _, h := range opts["H"] {
		name, value, _ := strings.Cut(h, ":")
		header.Set(name, strings.TrimSpace(value))
	}
	if k := first(opts["k"], ""); k != "" {
		header.Set("X-API-KEY", k)
	}
	if t := first(opts["t"], ""); t != "" {
		header.Set("X-API-LOGIN-TOKEN", t)
	}
	body := []byte(first(opts["d"], ""))
	if f := first(opts["f"], ""); f != "" {
		if body, err = os.ReadFile(w.ts.MkAbs(f)); err != nil {
			return err
		}
	}
	if err := w.send(rest[0], base+rest[1], header, body); err != nil {
		return err
	}
	if o := first(opts["o"], ""); o != "" {
		return os.WriteFile(w.ts.MkAbs(o), w.answer.body, 0o600)
	}
	return nil
}

func (w *world) send(method, url string, header http.Header, body []byte) error {
	a, err := w.ask(method, url, header, body)
	if err == nil {
		w.answer = a
	}
	return err
}

// ask sends a request; many may at a time.
func (w *world) ask(method, url string, header http.Header, body []byte) (answer, error) {
	req, err := http.NewRequest(method, url, bytes.NewReader(body))
	if err != nil {
		return answer{}, err
	}
	req.Header = header
	r, err := w.client.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer func() { _ = r.Body.Close() }()
	got, err := io.ReadAll(r.Body)
	return answer{r.StatusCode, r.Header, got}, err
}

func (w *world) shown() string {
	if !strings.Contains(w.answer.header.Get("Content-Type"), "json") {
		return fmt.Sprintf("%d %.200q", w.answer.status, w.answer.body)
	}
	return fmt.Sprintf("%d %.2000s", w.answer.status, w.answer.body)
}

// status compares the status code of the last answer.
func (w *world) status(args []string) error {
	if strconv.Itoa(w.answer.status) != args[0] {
		return fmt.Errorf("status is %s, not %s", w.shown(), args[0])
	}
	return nil
}

// header compares a header of the last answer: header NAME VALUE, or NAME ~ REGEXP.
func (w *world) header(args []string) error {
	return compare("header "+args[0], strings.Join(w.answer.header.Values(args[0]), ", "), args[1:])
}

// body compares the whole body of the last answer: body TEXT, or ~ REGEXP.
func (w *world) body(args []string) error { return compare("body", string(w.answer.body), args) }

func compare(what, got string, args []string) error {
	if len(args) == 2 && args[0] == "~" {
		ok, err := regexp.MatchString(args[1], got)
		if err != nil || !ok {
			return fmt.Errorf("%s is %.2000q, which does not match %q", what, got, args[1])
		}
		return nil
	}
	if want := strings.Join(args, " "); got != want {
		return fmt.Errorf("%s is %.2000q, not %q", what, got, want)
	}
	return nil
}

// json compares a value of the last answer: json PATH VALUE, or PATH ~ REGEXP. A path is
// keys and positions joined by dots; a value that is no string is compared as JSON.
func (w *world) json(args []string) error {
	v, ok := w.find(args[0])
	if !ok {
		return fmt.Errorf("%s is absent in %s", args[0], w.shown())
	}
	return compare(args[0], text(v), args[1:])
}

// absent fails if one of the paths is there.
func (w *world) absent(args []string) error {
	for _, path := range args {
		if v, ok := w.find(path); ok {
			return fmt.Errorf("%s is there: %s", path, text(v))
		}
	}
	return nil
}

// present fails if one of the paths is not there.
func (w *world) present(args []string) error {
	for _, path := range args {
		if _, ok := w.find(path); !ok {
			return fmt.Errorf("%s is absent in %s", path, w.shown())
		}
	}
	return nil
}

// count compares how many entries a list or object has: count PATH N.
func (w *world) count(args []string) error {
	v, ok := w.find(args[0])
	if !ok {
		return fmt.Errorf("%s is absent in %s", args[0], w.shown())
	}
	n := -1
	switch v := v.(type) {
	case []any:
		n = len(v)
	case map[string]any:
		n = len(v)
	}
	if strconv.Itoa(n) != args[1] {
		return fmt.Errorf("%s has %d entries, not %s: %s", args[0], n, args[1], text(v))
	}
	return nil
}

// save keeps a value of the last answer in a variable: save NAME PATH.
func (w *world) save(args []string) error {
	v, ok := w.find(args[1])
	if !ok {
		return fmt.Errorf("%s is absent in %s", args[1], w.shown())
	}
	w.ts.Setenv(args[0], text(v))
	return nil
}

// fault says that the last answer is an error with one entry in the form of chapter 12:
// fault STATUS CAUSE [KEY [MESSAGE]]; without a key it must be null.
func (w *world) fault(args []string) error {
	if err := w.status(args[:1]); err != nil {
		return err
	}
	if err := compare("Content-Type", w.answer.header.Get("Content-Type"), []string{"application/json; charset=utf-8"}); err != nil {
		return err
	}
	if err := compare("Access-Control-Allow-Origin", w.answer.header.Get("Access-Control-Allow-Origin"), []string{"*"}); err != nil {
		return err
	}
	var got struct{ Errors []map[string]any }
	if err := json.Unmarshal(w.answer.body, &got); err != nil || len(got.Errors) != 1 {
		return fmt.Errorf("not one error: %s", w.shown())
	}
	e := got.Errors[0]
	for _, key := range []string{"cause", "id", "key", "message"} {
		if _, ok := e[key]; !ok || len(e) != 4 {
			return fmt.Errorf("not the four keys: %s", w.shown())
		}
	}
	if id, ok := e["id"].(string); !ok || !regexp.MustCompile(`^[0-9]+$`).MatchString(id) {
		return fmt.Errorf("the id is no decimal string: %s", w.shown())
	}
	if e["cause"] != args[1] {
		return fmt.Errorf("cause is %v, not %s: %s", e["cause"], args[1], w.shown())
	}
	var key any
	if len(args) > 2 {
		key = args[2]
	}
	if e["key"] != key {
		return fmt.Errorf("key is %v, not %v: %s", e["key"], key, w.shown())
	}
	if len(args) > 3 && e["message"] != args[3] {
		return fmt.Errorf("message is %v, not %s", e["message"], args[3])
	}
	return nil
}

func (w *world) find(path string) (any, bool) { return find(w.answer.body, path) }

// find returns the value at path in a JSON text.
func find(body []byte, path string) (any, bool) {
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	var v any
	if d.Decode(&v) != nil {
		return nil, false
	}
	if path == "." {
		return v, true
	}
	for part := range strings.SplitSeq(path, ".") {
		switch at := v.(type) {
		case map[string]any:
			next, ok := at[part]
			if !ok {
				return nil, false
			}
			v = next
		case []any:
			n, err := strconv.Atoi(part)
			if err != nil || n < 0 || n >= len(at) {
				return nil, false
			}
			v = at[n]
		default:
			return nil, false
		}
	}
	return v, true
}

func text(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	b, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(b)
}

// sameJSON compares two files, or a file with the last answer, as JSON values:
// samejson FILE [FILE] [PATH]; the path is that of the first within the second.
func (w *world) sameJSON(args []string) error {
	one, err := os.ReadFile(w.ts.MkAbs(args[0]))
	if err != nil {
		return err
	}
	two := w.answer.body
	if len(args) > 1 && args[1] != "-" {
		if two, err = os.ReadFile(w.ts.MkAbs(args[1])); err != nil {
			return err
		}
	}
	path := "."
	if len(args) > 2 {
		path = args[2]
	}
	a, ok := find(one, ".")
	b, ok2 := find(two, path)
	if !ok || !ok2 {
		return errors.New("one is no JSON")
	}
	if !reflect.DeepEqual(a, b) {
		return fmt.Errorf("they differ:\n%s\n%s", text(a), text(b))
	}
	return nil
}

// long keeps a text of N times a letter in $LONG: long N LETTER.
func (w *world) long(args []string) error {
	n, err := number(args[0])
	if err == nil {
		w.ts.Setenv("LONG", strings.Repeat(args[1], n))
	}
	return err
}

// guess sends a request N times, with a wrong key in its body, and keeps the last answer:
// guess N METHOD PATH [TOKEN].
func (w *world) guess(args []string) error {
	n, err := number(args[0])
	if err != nil {
		return err
	}
	header := http.Header{"Content-Type": {"application/json"}}
	var body []byte
	if len(args) > 3 {
		header.Set("X-API-LOGIN-TOKEN", args[3])
	} else {
		body = []byte(`{"apiKey":"guessed"}`)
	}
	for range n {
		if err := w.send(args[1], w.ts.Getenv("HOST")+args[2], header, body); err != nil {
			return err
		}
	}
	return nil
}
