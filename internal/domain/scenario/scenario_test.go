package scenario

import (
	"strings"
	"testing"

	"vidimus/internal/domain/fault"
	"vidimus/internal/domain/person"
)

// with is an application with these custom fields or names.
func with(fields map[string]string) person.Application {
	a := person.Application{Userdata: map[person.Field]string{}}
	for name, value := range fields {
		if n, ok := strings.CutPrefix(name, "custom"); ok {
			a.Custom[n[0]-'1'] = value
			continue
		}
		a.Userdata[person.Field(name)] = value
	}
	return a
}

func TestEveryScenarioIsReadInEveryPlaceAfterBothPrefixes(t *testing.T) {
	for _, place := range []string{"firstname", "lastname", "custom1", "custom2", "custom3", "custom4", "custom5"} {
		for _, p := range []Prefix{AutoTest, ManualTest} {
			for _, n := range All {
				got, err := Of(with(map[string]string{place: string(p) + "-" + string(n)}))
				if err != nil || got != (Selection{p, n}) {
					t.Errorf("%s-%s in %s: %v, %v", p, n, place, got, err)
				}
			}
		}
	}
}

func TestTheFirstPlaceWins(t *testing.T) {
	got, err := Of(with(map[string]string{"custom2": "X-AUTOTEST-CANCELED", "lastname": "X-MANUALTEST-FRAUDOK", "firstname": "Anna"}))
	if err != nil || got != (Selection{ManualTest, FraudOK}) {
		t.Errorf("%v, %v", got, err)
	}
}

func TestUnknownScenarioIsRefusedWithItsField(t *testing.T) {
	for _, value := range []string{"X-AUTOTEST-", "X-AUTOTEST-UNKNOWN", "X-MANUALTEST-happypath", "X-AUTOTEST-HAPPYPATH-2"} {
		got, err := Of(with(map[string]string{"custom3": value}))
		if !fault.Is(err, fault.Invalid) || fault.All(err)[0].Key != "custom3" || got != (Selection{}) {
			t.Errorf("%s: %v, %v", value, got, err)
		}
	}
}

func TestOtherNamesSelectNothing(t *testing.T) {
	for _, value := range []string{"", "Anna", "X-AUTOTEST", "XAUTOTEST-HAPPYPATH", "x-autotest-HAPPYPATH", "Anna X-AUTOTEST-HAPPYPATH"} {
		if got, err := Of(with(map[string]string{"firstname": value})); err != nil || got != (Selection{}) {
			t.Errorf("%q: %v, %v", value, got, err)
		}
	}
	if got, err := Of(with(map[string]string{"street": "X-AUTOTEST-HAPPYPATH"})); err != nil || got != (Selection{}) {
		t.Errorf("in another field: %v, %v", got, err)
	}
}

func TestBlanksAroundAScenarioDoNotMatter(t *testing.T) {
	if got, err := Of(with(map[string]string{"lastname": "  X-AUTOTEST-LONGREVIEW "})); err != nil || got != (Selection{AutoTest, LongReview}) {
		t.Errorf("%v, %v", got, err)
	}
}
