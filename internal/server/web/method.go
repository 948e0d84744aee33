package web

import (
	"net/http"
	"strings"

	"github.com/go-chi/chi/v5"
)

// HeadLikeGet serves HEAD wherever GET is served; net/http leaves the body out.
func HeadLikeGet(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodHead {
			chi.RouteContext(r.Context()).RouteMethod = http.MethodGet
		}
		next.ServeHTTP(w, r)
	})
}

// Allowed lists the methods that the path of the request has, as a 405 names them in its
// Allow header (RFC 9110, 15.5.6): those of the routes, and HEAD wherever GET is
// served.
func Allowed(routes chi.Routes, r *http.Request) string {
	path := r.URL.RawPath
	if path == "" {
		path = r.URL.Path
	}
	var list []string
	for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodDelete} {
		if !routes.Match(chi.NewRouteContext(), method, path) {
			continue
		}
		if list = append(list, method); method == http.MethodGet {
			list = append(list, http.MethodHead)
		}
	}
	return strings.Join(list, ", ")
}
