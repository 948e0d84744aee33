// Left out of fuzzing, which would compile the validator of the contract anew.
//go:build !fuzz

package gateway_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"vidimus/internal/server/gateway"
)

func key(text string) http.Header   { return http.Header{"X-Api-Key": {text}} }
func token(text string) http.Header { return http.Header{"X-Api-Login-Token": {text}} }

// get and post make an exchange and want that status.
func (p *platform) get(path string, h http.Header, status int) answer {
	p.t.Helper()
	return p.want(p.request(http.MethodGet, path, "", h), status)
}

func (p *platform) post(path, body string, h http.Header, status int) answer {
	p.t.Helper()
	return p.want(p.request(http.MethodPost, path, body, h), status)
}

func (p *platform) want(r *http.Request, status int) answer {
	p.t.Helper()
	a := p.send(r)
	if a.StatusCode != status {
		p.t.Fatalf("%s %s: %d, expected %d: %.500s", r.Method, r.URL.Path, a.StatusCode, status, a.body)
	}
	return a
}

const own = "/api/v1/ihrebank/identifications"

// routesOfTokens are the routes that need credentials.
var routesOfTokens = []struct{ method, path, body string }{
	{http.MethodGet, "", ""},
	{http.MethodGet, "/identifications", ""},
	{http.MethodGet, "/identifications?limit=1", ""},
	{http.MethodGet, "/identifications/1", ""},
	{http.MethodGet, "/identifications/1.zip", ""},
	{http.MethodGet, "/identifications/1/status", ""},
	{http.MethodGet, "/identifications/1/deliveries", ""},
	{http.MethodDelete, "/identifications/1", ""},
	{http.MethodPost, "/verify", "%PDF-"},
	{http.MethodPost, "/identifications/1/start", `{"city":"Bonn"}`},
	{http.MethodPost, "/identifications/1/start", `{}`},
	{http.MethodPost, "/identifications/1/requestVideoChat", `{}`},
	{http.MethodPost, "/identifications/1/copy", `{"target_companyid":"testbank"}`},
	{http.MethodPost, "/identifications/1/archive", ""},
}

func TestEveryRouteRefusesTheTokenOfAnotherCompany(t *testing.T) {
	p := newPlatform(t, settings{})
	theirs := token(p.login("testbank"))
	p.post(own+"/1/start", `{}`, key("exampleApiKey"), http.StatusCreated)
	for _, r := range routesOfTokens {
		a := p.want(p.request(r.method, "/api/v1/ihrebank"+r.path, r.body, theirs), http.StatusUnauthorized)
		if a.cause() != "SECURITY_VIOLATION" {
			t.Errorf("%s %s: %s", r.method, r.path, a.body)
		}
	}
}

func TestEveryRouteAnswersAnUnknownCompanyLikeAWrongKey(t *testing.T) {
	p := newPlatform(t, settings{})
	for _, h := range []http.Header{token(p.login("testbank")), token("wrong"), key("exampleApiKey"), {}} {
		for _, r := range routesOfTokens {
			unknown := p.want(p.request(r.method, "/api/v1/nobody"+r.path, r.body, h), http.StatusUnauthorized)
			if unknown.cause() != "INVALID_LOGIN_TOKEN" {
				t.Errorf("%s %s: %s", r.method, r.path, unknown.body)
			}
		}
	}
}

func TestAnotherCompanysIdentificationIsNothing(t *testing.T) {
	p := newPlatform(t, settings{})
	id := p.post(own+"/mine/start", `{"firstname":"X-AUTOTEST-HAPPYPATH"}`, key("exampleApiKey"), http.StatusCreated).decode(t)["id"].(string)
	theirs := token(p.login("testbank"))
	for _, number := range []string{"mine", id, strings.ToLower(id)} {
		for _, r := range routesOfTokens {
			if !strings.Contains(r.path, "/1") || strings.HasSuffix(r.path, "start") {
				continue
			}
			path := "/api/v1/testbank" + strings.Replace(r.path, "/1", "/"+number, 1)
			want := http.StatusNotFound
			if strings.HasSuffix(path, "archive") {
				want = http.StatusForbidden // the account does not have it at all
			}
			p.want(p.request(r.method, path, r.body, theirs), want)
		}
	}
}

func TestAnIdentIDServesInAnyLetterCase(t *testing.T) {
	p := newPlatform(t, settings{})
	id := p.post(own+"/mine/start", `{}`, key("exampleApiKey"), http.StatusCreated).decode(t)["id"].(string)
	mine := token(p.login("ihrebank"))
	for _, spelled := range []string{strings.ToLower(id), id, strings.ToLower(id[:5]) + id[5:]} {
		if got := p.get(own+"/"+spelled+"/status", mine, http.StatusOK).decode(t)["id"]; got != id {
			t.Errorf("%s leads to %v, not to %s", spelled, got, id)
		}
		if got := p.post(own+"/"+spelled+"/start", `{"city":"Bonn"}`, mine, http.StatusOK).decode(t)["id"]; got != id {
			t.Errorf("starting %s answers %v, not %s", spelled, got, id)
		}
	}
	p.want(p.request(http.MethodDelete, own+"/"+strings.ToLower(id), "", mine), http.StatusOK)
}

func TestANumberHas255CharactersAtMost(t *testing.T) {
	p := newPlatform(t, settings{})
	p.post(own+"/"+strings.Repeat("a", 255)+"/start", `{}`, key("exampleApiKey"), http.StatusCreated)
	a := p.post(own+"/"+strings.Repeat("a", 256)+"/start", `{}`, key("exampleApiKey"), http.StatusBadRequest)
	if !strings.Contains(string(a.body), `"key":"transactionnumber"`) {
		t.Errorf("%s", a.body)
	}
}

func TestATextHas255CharactersAtMost(t *testing.T) {
	p := newPlatform(t, settings{})
	p.post(own+"/1/start", `{"city":"`+strings.Repeat("ä", 255)+`"}`, key("exampleApiKey"), http.StatusCreated)
	a := p.post(own+"/1/start", `{"city":"`+strings.Repeat("ä", 256)+`","street":"`+strings.Repeat("a", 256)+`"}`, key("exampleApiKey"), http.StatusBadRequest)
	if got := len(a.decode(t)["errors"].([]any)); got != 2 {
		t.Errorf("%d errors for two wrong fields: %s", got, a.body)
	}
}

func TestABodyHasOneMebibyteAtMost(t *testing.T) {
	p := newPlatform(t, settings{})
	padded := func(size int) string { return `{}` + strings.Repeat(" ", size-2) }
	p.post(own+"/1/start", padded(1<<20), key("exampleApiKey"), http.StatusCreated)
	for _, path := range []string{own + "/1/start", "/api/v1/ihrebank/login"} {
		if a := p.post(path, padded(1<<20+1), key("exampleApiKey"), http.StatusRequestEntityTooLarge); a.cause() != "BAD_REQUEST" {
			t.Errorf("%s: %s", path, a.body)
		}
	}
}

func TestWhatIsNotJSONIsUnparseable(t *testing.T) {
	p := newPlatform(t, settings{})
	mine := token(p.login("ihrebank"))
	for _, body := range []string{
		"{\"city\":\"\xff\"}", "{\"city\":\"\xed\xa0\x80\"}", "\xef\xbb\xbf{}", "{}\x00", `{"city":"a","c\u0069ty":"b"}`,
		strings.Repeat(`{"questions":`, 40) + "1" + strings.Repeat("}", 40), " ", "{", `{"city":"` + "\n" + `"}`,
	} {
		for _, path := range []string{own + "/1/start", own + "/1/copy", "/api/v1/ihrebank/login"} {
			if a := p.post(path, body, mine, http.StatusBadRequest); a.cause() != "UNPARSEABLE_JSON" {
				t.Errorf("%s %q: %s", path, body, a.body)
			}
		}
	}
}

func TestTwoCreationsOfOneNumberMakeOneIdentification(t *testing.T) {
	p := newPlatform(t, settings{})
	const clients = 8
	var all sync.WaitGroup
	statuses, names := make([]int, clients), make([]string, clients)
	for n := range clients {
		all.Go(func() {
			r := p.request(http.MethodPost, own+"/race/start", `{"city":"Bonn"}`, key("exampleApiKey"))
			a, err := http.DefaultClient.Do(r)
			if err != nil {
				return
			}
			defer func() { _ = a.Body.Close() }()
			var v struct{ ID string }
			_ = json.NewDecoder(a.Body).Decode(&v)
			statuses[n], names[n] = a.StatusCode, v.ID
		})
	}
	all.Wait()
	count := map[int]int{}
	for n := range clients {
		count[statuses[n]]++
		if names[n] != names[0] || names[n] == "" {
			t.Errorf("the ids are %v", names)
		}
	}
	if want := map[int]int{http.StatusCreated: 1, http.StatusOK: clients - 1}; !cmp.Equal(count, want) {
		t.Errorf("the statuses are %v, expected %v", count, want)
	}
}

func TestATokenEndsAfterAnHourWithoutUse(t *testing.T) {
	p := newPlatform(t, settings{})
	used, unused := token(p.login("ihrebank")), token(p.login("ihrebank"))
	for range 5 {
		p.time.advance(59 * time.Minute)
		p.get(own, used, http.StatusOK)
	}
	p.get(own, unused, http.StatusUnauthorized)
	p.time.advance(time.Hour)
	if a := p.get(own, used, http.StatusUnauthorized); a.cause() != "INVALID_LOGIN_TOKEN" {
		t.Errorf("%s", a.body)
	}
}

func TestATokenOutlivesARestart(t *testing.T) {
	p := newPlatform(t, settings{})
	mine := token(p.login("ihrebank"))
	p.time.advance(40 * time.Minute)
	p.get(own, mine, http.StatusOK)
	p.time.advance(40 * time.Minute)
	next := p.restart(settings{})
	next.get(own, mine, http.StatusOK)
	next.time.advance(time.Hour)
	next.get(own, mine, http.StatusUnauthorized)
}

func TestFailedLogInsAreSlowedDownAndRightOnesNever(t *testing.T) {
	for _, c := range []struct {
		name string
		live bool
		most int
	}{{"test", false, 300}, {"live", true, 20}} {
		t.Run(c.name, func(t *testing.T) {
			p := newPlatform(t, settings{live: c.live})
			p.secure()
			p.time.advance(10 * time.Second)
			for range c.most {
				p.post("/api/v1/ihrebank/login", `{"apiKey":"wrong"}`, nil, http.StatusUnauthorized)
			}
			for _, r := range []*http.Request{
				p.request(http.MethodPost, "/api/v1/ihrebank/login", `{"apiKey":"wrong"}`, nil),
				p.request(http.MethodPost, "/api/v1/nobody/login", `{"apiKey":"exampleApiKey"}`, nil),
				p.request(http.MethodPost, own+"/1/start", `{"city":"Bonn"}`, key("wrong")),
				p.request(http.MethodGet, own, "", key("wrong")),
			} {
				a := p.want(r, http.StatusTooManyRequests)
				if a.cause() != "TOO_MANY_REQUESTS" {
					t.Errorf("%s", a.body)
				}
				if s, err := strconv.Atoi(a.Header.Get("Retry-After")); err != nil || s < 50 || s > 51 {
					t.Errorf("Retry-After is %q, ten seconds into the minute", a.Header.Get("Retry-After"))
				}
			}
			mine := token(p.login("ihrebank"))
			p.get(own, mine, http.StatusOK)
			p.post(own+"/1/start", `{}`, key("exampleApiKey"), http.StatusCreated)
			p.get(own+"/nosuch/status", mine, http.StatusNotFound)
			p.time.advance(50 * time.Second)
			p.post("/api/v1/ihrebank/login", `{"apiKey":"wrong"}`, nil, http.StatusUnauthorized)
		})
	}
}

func TestATokenIsNeverCountedAsAFailedLogIn(t *testing.T) {
	p := newPlatform(t, settings{live: true})
	p.secure()
	both := token("7eb579f6-51b9-4a61-a32b-8bce0f84c6fa")
	both.Set("X-Api-Key", "wrong")
	for range 50 {
		p.get(own, token("7eb579f6-51b9-4a61-a32b-8bce0f84c6fa"), http.StatusUnauthorized)
		p.post(own+"/1/start", `{"city":"Bonn"}`, token("dead"), http.StatusUnauthorized)
		p.post(own+"/1/start", `{"city":"Bonn"}`, both, http.StatusUnauthorized)
		p.get("/api/v1/testbank", token("dead"), http.StatusUnauthorized)
		p.get(own, key("exampleApiKey"), http.StatusUnauthorized) // the right one, on a route that wants a token
	}
	p.post("/api/v1/ihrebank/login", `{"apiKey":"wrong"}`, nil, http.StatusUnauthorized)
	p.get(own, nil, http.StatusUnauthorized)
	for range 19 {
		p.get("/api/v1/testbank", key("wrong"), http.StatusUnauthorized)
	}
	p.get("/api/v1/testbank", key("wrong"), http.StatusTooManyRequests)
	p.get(own, nil, http.StatusUnauthorized)
}

func TestFailedLookUpsWithoutCredentialsAreSlowedDown(t *testing.T) {
	p := newPlatform(t, settings{})
	p.post(own+"/robots/start", `{"firstname":"X-AUTOTEST-HAPPYPATH"}`, key("exampleApiKey"), http.StatusCreated)
	for n := range 300 {
		path := []string{"/api/v1/nobody", own + "/nosuch/requestVideoChat"}[n%2]
		if n%2 == 0 {
			p.get(path, nil, http.StatusUnauthorized)
		} else {
			p.post(path, `{}`, nil, http.StatusUnauthorized)
		}
	}
	p.get("/api/v1/nobody", nil, http.StatusTooManyRequests)
	p.post(own+"/nosuch/requestVideoChat", `{}`, nil, http.StatusTooManyRequests)
	p.post(own+"/robots/requestVideoChat", `{}`, nil, http.StatusOK)
	p.get("/api/v1/ihrebank", nil, http.StatusOK)
	p.login("ihrebank")
}

// secure has requests look as if they came over HTTPS by way of a proxy.
func (p *platform) secure() {
	p.client = &http.Client{Transport: forwarded{}, CheckRedirect: plainClient.CheckRedirect}
}

type forwarded struct{}

func (forwarded) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("X-Forwarded-Proto", "https")
	return http.DefaultTransport.RoundTrip(r)
}

func TestLiveMeansHTTPS(t *testing.T) {
	p := newPlatform(t, settings{live: true})
	for _, path := range []string{"/docs", "/openapi.yaml", "/assets/certs/"} {
		if a := p.get(path, nil, http.StatusPermanentRedirect); !strings.HasPrefix(a.Header.Get("Location"), "https://") {
			t.Errorf("%s: sent to %q", path, a.Header.Get("Location"))
		}
	}
	for _, path := range []string{"/api/v1/ihrebank", own, own + "/1/status"} {
		if a := p.get(path, token("whatever"), http.StatusForbidden); a.cause() != "FORBIDDEN" {
			t.Errorf("%s: %s", path, a.body)
		}
	}
	if a := p.get("/system_check", nil, http.StatusOK); string(a.body) != "SYSTEM_CHECK_OK" {
		t.Errorf("the system check says %q over plain HTTP", a.body)
	}
	p.secure()
	p.get("/api/v1/ihrebank", nil, http.StatusOK)
}

func TestLiveHasNoRobots(t *testing.T) {
	p := newPlatform(t, settings{live: true})
	p.secure()
	p.post(own+"/1/start", `{"firstname":"X-AUTOTEST-NOSUCH"}`, key("exampleApiKey"), http.StatusCreated)
	p.post(own+"/2/start", `{"firstname":"X-AUTOTEST-HAPPYPATH"}`, key("exampleApiKey"), http.StatusCreated)
	p.post(own+"/2/start", `{}`, nil, http.StatusUnauthorized)
	p.post(own+"/2/requestVideoChat", `{}`, nil, http.StatusUnauthorized)
	p.post(own+"/2/requestVideoChat", `{}`, key("exampleApiKey"), http.StatusPreconditionFailed)
}

func TestASystemCheckThatFailsSaysSoAndTheLogWhy(t *testing.T) {
	var broken error
	p := newPlatform(t, settings{checks: []gateway.Check{{Name: "queue", Ping: func(context.Context) error { return broken }}}})
	p.get("/system_check", nil, http.StatusOK)
	broken = errors.New("three jobs are overdue")
	if a := p.get("/system_check", nil, http.StatusOK); string(a.body) != "SYSTEM_CHECK_OK" {
		t.Errorf("an answer is good for a second, but it says %q", a.body)
	}
	p.time.advance(time.Second)
	if a := p.get("/system_check", nil, http.StatusServiceUnavailable); string(a.body) != "SYSTEM_CHECK_FAILED" {
		t.Errorf("it says %q", a.body)
	}
	if !strings.Contains(p.log.String(), "queue: three jobs are overdue") {
		t.Errorf("the log does not say why:\n%s", p.log)
	}
	broken = nil
	p.time.advance(time.Second)
	p.get("/system_check", nil, http.StatusOK)
}

func TestAnInternalErrorTellsNothingAndIsLogged(t *testing.T) {
	p := newPlatform(t, settings{})
	mine := token(p.login("ihrebank"))
	if err := p.db.Close(); err != nil {
		t.Fatal(err)
	}
	p.db = nil
	a := p.get(own, mine, http.StatusInternalServerError)
	want := fmt.Sprintf(`{"errors":[{"cause":"INTERNAL_SERVER_ERROR","id":"%d","key":null,"message":null}]}`, 400_000_000+p.serial.Load())
	if diff := cmp.Diff(want, string(a.body)); diff != "" {
		t.Error(diff)
	}
	if !strings.Contains(p.log.String(), "level=ERROR msg=request") || !strings.Contains(p.log.String(), " error=") {
		t.Errorf("the log does not say what broke:\n%s", p.log)
	}
}

func TestTheLogHoldsNothingPersonal(t *testing.T) {
	p := newPlatform(t, settings{})
	mine := p.login("ihrebank")
	p.post(own+"/secret-number/start", `{"lastname":"Wagenknecht","email":"nobody"}`, key("exampleApiKey"), http.StatusBadRequest)
	p.post(own+"/secret-number/start", `{"lastname":"Wagenknecht"}`, key("exampleApiKey"), http.StatusCreated)
	p.get(own+"/secret-number/status", token(mine), http.StatusOK)
	for _, secret := range []string{"secret-number", "Wagenknecht", "exampleApiKey", mine} {
		if strings.Contains(p.log.String(), secret) {
			t.Errorf("the log holds %q:\n%s", secret, p.log)
		}
	}
}

func TestPagesHoldEveryEntryOnceWhileNewOnesAreCreated(t *testing.T) {
	p := newPlatform(t, settings{})
	const before, perPage = 23, 5
	for n := range before {
		p.post(fmt.Sprintf("%s/old-%02d/start", own, n), `{}`, key("exampleApiKey"), http.StatusCreated)
		if n%3 == 0 {
			p.time.advance(time.Second) // so that some share a time
		}
	}
	mine := token(p.login("ihrebank"))
	whole := numbers(t, p.get(own+"?pending=true", mine, http.StatusOK))
	var paged []string
	next := own + "?pending=true&limit=" + strconv.Itoa(perPage)
	for page := 0; next != ""; page++ {
		a := p.get(next, mine, http.StatusOK)
		got := numbers(t, a)
		paged = append(paged, got...)
		p.post(fmt.Sprintf("%s/new-%02d/start", own, page), `{}`, key("exampleApiKey"), http.StatusCreated)
		p.time.advance(time.Second)
		if next = linked(t, a); next != "" && len(got) != perPage {
			t.Fatalf("a page that is not the last has %d entries", len(got))
		}
	}
	if diff := cmp.Diff(whole, paged); diff != "" || len(whole) != before {
		t.Errorf("the pages hold other entries than the whole list of %d (-whole +pages):\n%s", len(whole), diff)
	}
}

func TestALastPageThatIsFullHasNoNext(t *testing.T) {
	p := newPlatform(t, settings{})
	for n := range 4 {
		p.post(fmt.Sprintf("%s/%d/start", own, n), `{}`, key("exampleApiKey"), http.StatusCreated)
	}
	a := p.get(own+"?pending=true&limit=4", token(p.login("ihrebank")), http.StatusOK)
	if next := linked(t, a); next != "" || len(numbers(t, a)) != 4 {
		t.Errorf("%d entries, next is %q", len(numbers(t, a)), next)
	}
}

// numbers returns the transaction numbers of a list.
func numbers(t *testing.T, a answer) []string {
	t.Helper()
	var v struct {
		Identifications []struct {
			Process struct {
				Number string `json:"transactionnumber"`
			} `json:"identificationprocess"`
		} `json:"identifications"`
	}
	if err := json.Unmarshal(a.body, &v); err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, i := range v.Identifications {
		all = append(all, i.Process.Number)
	}
	return all
}

// linked returns the address of the next page.
func linked(t *testing.T, a answer) string {
	t.Helper()
	link := a.Header.Get("Link")
	if link == "" {
		return ""
	}
	next, ok := strings.CutSuffix(strings.TrimPrefix(link, "<"), `>; rel="next"`)
	if !ok {
		t.Fatalf("Link is %q", link)
	}
	return next
}
