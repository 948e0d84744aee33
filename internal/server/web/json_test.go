package web_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"vidimus/internal/domain/fault"
	"vidimus/internal/server/web"
)

func TestParseObjectKeepsTheOrderOfMembers(t *testing.T) {
	got, err := web.ParseObject([]byte(` {"b": 1.50, "a": {"x": [true, null]}, "": "é"} ` + "\n"))
	if err != nil {
		t.Fatal(err)
	}
	want := []web.Member{
		{Key: "b", Value: json.RawMessage("1.50")}, {Key: "a", Value: json.RawMessage(`{"x": [true, null]}`)}, {Key: "", Value: json.RawMessage(`"é"`)},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestParseObjectTakesOneObjectOnly(t *testing.T) {
	many := make([]string, 10_001)
	for i := range many {
		many[i] = fmt.Sprintf(`"%d":0`, i)
	}
	for name, body := range map[string]string{
		"nothing": "", "blanks": "  ", "null": "null", "a list": "[]", "a text": `"{}"`, "a number": "1", "half": `{"a":`, "two": "{}{}",
		"bytes after it": "{} x", "a zero byte": "{}\x00", "no UTF-8": "{\"a\":\"\xff\"}", "a byte order mark": "\ufeff{}",
		"a key twice": `{"a":1,"a":1}`, "a key twice, escaped": `{"a":1,"\u0061":1}`, "a key twice, below": `{"a":[{"b":1,"b":2}]}`,
		"too deep": strings.Repeat(`{"a":`, 20) + "1" + strings.Repeat("}", 20), "too deep a list": `{"a":` + strings.Repeat("[", 20) + strings.Repeat("]", 20) + "}",
		"too many members": "{" + strings.Join(many, ",") + "}", "a comment": "{/**/}", "a comma too much": `{"a":1,}`,
		"half a pair": `{"a":"a\ud800b"}`, "half a pair, at the end": `{"a":"\ud800"}`, "the other half": `{"a":"\udc00\ud800"}`, "half a pair in a key": `{"\ud800":1}`,
		"half a pair, below": `{"a":[{"b":"\ud800x"}]}`, "half a pair before an escape": `{"a":"\ud800\n"}`, "two first halves": `{"a":"\ud800\ud800\udc00"}`,
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := web.ParseObject([]byte(body)); !fault.Is(err, fault.Unparseable) {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestParseObjectTakesTheSameKeyInDifferentObjects(t *testing.T) {
	if _, err := web.ParseObject([]byte(`{"a":{"value":1},"b":{"value":1},"A":1}`)); err != nil {
		t.Error(err)
	}
}

func TestParseObjectTakesWholeSurrogatePairs(t *testing.T) {
	got, err := web.ParseObject([]byte(`{"\uD83D\uDE00":"\\ud800 \ud83d\ude00\ufffd"}`))
	if err != nil || len(got) != 1 || got[0].Key != "\U0001F600" {
		t.Fatalf("%v, %v", got, err)
	}
	if v, _ := web.Scalar(got[0].Value); v != "\\ud800 \U0001F600\ufffd" {
		t.Errorf("%q", v)
	}
}

func TestReadObjectWantsJSONInUTF8(t *testing.T) {
	for kind, ok := range map[string]bool{
		"application/json": true, "application/json; charset=utf-8": true, "APPLICATION/JSON;charset=UTF-8": true, "application/json; charset=\"utf-8\"": true,
		"": false, "text/plain": false, "application/json; charset=latin1": false, "application/jsonp": false, "multipart/form-data": false, "application/json; charset": false,
	} {
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader("{}"))
		r.Header.Set("Content-Type", kind)
		_, err := web.ReadObject(httptest.NewRecorder(), r)
		if ok && err != nil || !ok && !fault.Is(err, fault.UnsupportedContent) {
			t.Errorf("%q: %v", kind, err)
		}
	}
}

func TestReadObjectTakesOneMebibyte(t *testing.T) {
	for size, ok := range map[int]bool{web.MaxBody: true, web.MaxBody + 1: false} {
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader("{}"+strings.Repeat(" ", size-2)))
		r.Header.Set("Content-Type", "application/json")
		_, err := web.ReadObject(httptest.NewRecorder(), r)
		if ok && err != nil || !ok && !fault.Is(err, fault.TooLarge) {
			t.Errorf("%d bytes: %v", size, err)
		}
	}
}

func TestScalarTakesNoObjectAndNoList(t *testing.T) {
	for text, want := range map[string]any{`"a"`: "a", `1.50`: json.Number("1.50"), `true`: true, `null`: nil} {
		got, ok := web.Scalar(json.RawMessage(text))
		if !ok || got != want {
			t.Errorf("%s is %v, %t", text, got, ok)
		}
	}
	for _, text := range []string{`{}`, `[]`, ``, `x`} {
		if got, ok := web.Scalar(json.RawMessage(text)); ok {
			t.Errorf("%q is %v", text, got)
		}
	}
}

func FuzzParseObject(f *testing.F) {
	for _, s := range []string{"{}", "[]", `{"a":1,"a":2}`, `{"a":{"b":[1,{"c":null}]}}`, "{}{}", "{\"\xff\":1}", `{"\ud800":1}`, "\ufeff{}", "{} "} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		members, err := web.ParseObject(body)
		if err != nil {
			if !fault.Is(err, fault.Unparseable) {
				t.Fatalf("%v", err)
			}
			return
		}
		var all map[string]json.RawMessage
		if err := json.Unmarshal(body, &all); err != nil {
			t.Fatalf("no object was taken for one: %v", err)
		}
		if len(all) != len(members) {
			t.Fatalf("%d members of %d", len(members), len(all))
		}
		for _, m := range members {
			if v, ok := all[m.Key]; !ok || string(v) != string(m.Value) {
				t.Fatalf("%q is %s, not %s", m.Key, v, m.Value)
			}
			_, _ = web.Scalar(m.Value)
		}
	})
}
