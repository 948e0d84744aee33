// Shows how far an upload is. Without it the form is sent as any other.
"use strict";
(() => {
	const form = document.getElementById("upload");
	if (!form || !window.FormData || !window.DOMParser) {
		return;
	}
	const progress = document.getElementById("progress");
	const button = form.querySelector("button");
	form.addEventListener("submit", (event) => {
		event.preventDefault();
		const request = new XMLHttpRequest();
		const again = () => {
			progress.hidden = true;
			button.disabled = false;
		};
		request.upload.addEventListener("progress", (e) => {
			if (e.lengthComputable) {
				progress.value = e.loaded / e.total;
			}
		});
		request.addEventListener("load", () => {
			// The answer is the page as it is now, also where something was wrong.
			const page = new DOMParser().parseFromString(request.responseText, "text/html");
			const main = page.querySelector("main");
			if (!main || request.status < 300) {
				location.reload();
				return;
			}
			const wrong = main.querySelector("[role=alert]");
			const before = document.getElementById("wrong");
			if (before) {
				before.remove();
			}
			if (!wrong) {
				location.reload();
				return;
			}
			form.prepend(document.adoptNode(wrong));
			again();
		});
		request.addEventListener("error", () => {
			again();
			form.submit(); // the browser tells what is wrong
		});
		button.disabled = true;
		progress.value = 0;
		progress.hidden = false;
		request.open("POST", location.href);
		request.send(new FormData(form));
	});
})();
