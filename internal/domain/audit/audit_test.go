package audit

import (
	"bytes"
	"reflect"
	"testing"
	"time"
)

var testKey = Key("0123456789abcdef0123456789abcdef")

func sample() Entry {
	return Entry{
		Chain: "IBA-H5FD8", Seq: 7, Company: "ihrebank", At: time.UnixMicro(1_700_000_000_123_456), Actor: "agent:A", Act: "verdict.given", Detail: "REVIEW_PENDING",
	}
}

func TestAnyChangedFieldChangesTheHash(t *testing.T) {
	sum := sample().Sum(testKey, []byte("before"))
	fields := reflect.TypeFor[Entry]()
	for n := range fields.NumField() {
		field := fields.Field(n)
		if field.Name == "Hash" {
			continue
		}
		e := sample()
		v := reflect.ValueOf(&e).Elem().Field(n)
		switch v.Interface().(type) {
		case time.Time:
			v.Set(reflect.ValueOf(e.At.Add(time.Microsecond)))
		case int64:
			v.SetInt(v.Int() + 1)
		default:
			v.SetString(v.String() + "x")
		}
		if bytes.Equal(sum, e.Sum(testKey, []byte("before"))) {
			t.Errorf("%s can be changed", field.Name)
		}
	}
	if bytes.Equal(sum, sample().Sum(testKey, []byte("other"))) || bytes.Equal(sum, sample().Sum(testKey, nil)) {
		t.Error("the hash before can be changed")
	}
}

func TestHashDependsOnTheFieldsAlone(t *testing.T) {
	e := sample()
	e.Hash, e.At = []byte("anything"), e.At.In(time.FixedZone("elsewhere", 3600))
	if !bytes.Equal(e.Sum(testKey, nil), sample().Sum(testKey, nil)) {
		t.Error("the same entry has two hashes")
	}
	if len(e.Sum(testKey, nil)) != 32 {
		t.Errorf("%d bytes", len(e.Sum(testKey, nil)))
	}
}

// TestFieldsDoNotRunIntoEachOther moves a letter over the border of two fields: without
// lengths both would be the same bytes.
func TestFieldsDoNotRunIntoEachOther(t *testing.T) {
	a, b := sample(), sample()
	a.Actor, a.Act = "ab", "c"
	b.Actor, b.Act = "a", "bc"
	if bytes.Equal(a.Sum(testKey, nil), b.Sum(testKey, nil)) {
		t.Error("actor and act run into each other")
	}
	a, b = sample(), sample()
	a.Act, a.Detail = "x", ""
	b.Act, b.Detail = "", "x"
	if bytes.Equal(a.Sum(testKey, nil), b.Sum(testKey, nil)) {
		t.Error("act and detail run into each other")
	}
}

func TestCompanyChainIsNoIdentificationsChain(t *testing.T) {
	if got := CompanyChain("ihrebank"); got != "company:ihrebank" {
		t.Errorf("got %s", got)
	}
}
