# Builds build/Release/addon.node with node-gyp. The files are listed in native/sources.gypi, which CMake reads
# too. Only Node's own headers are needed: the addon speaks plain Node-API.
{
  "includes": ["native/sources.gypi"],
  "targets": [
    {
      "target_name": "addon",
      "include_dirs": ["native"],
      "defines": ["NAPI_VERSION=8", "NODE_API_NO_EXTERNAL_BUFFERS_ALLOWED"],
      "sources": ["<@(addon_sources)", "<@(core_sources_common)"],
      "cflags": ["-Wall", "-Wextra", "-Wshadow", "-fvisibility=hidden", "-pthread"],
      "cflags_cc": ["-std=c++17", "-fno-exceptions", "-fno-rtti", "-fvisibility-inlines-hidden"],
      "xcode_settings": {
        "CLANG_CXX_LANGUAGE_STANDARD": "c++17",
        "CLANG_CXX_LIBRARY": "libc++",
        "GCC_ENABLE_CPP_EXCEPTIONS": "NO",
        "GCC_ENABLE_CPP_RTTI": "NO",
        "GCC_SYMBOLS_PRIVATE_EXTERN": "YES",
        "MACOSX_DEPLOYMENT_TARGET": "11.0",
        "WARNING_CFLAGS": ["-Wall", "-Wextra", "-Wshadow"]
      },
      "msvs_settings": {
        "VCCLCompilerTool": {
          "AdditionalOptions": ["/std:c++17", "/utf-8"],
          "ExceptionHandling": 0,
          "WarningLevel": 4
        }
      },
      "conditions": [
        ["OS!='win'", { "sources": ["<@(core_sources_posix)"] }],
        ["OS=='linux'", { "sources": ["<@(core_sources_linux)"], "ldflags": ["-pthread"] }],
        ["OS=='mac' or OS=='freebsd' or OS=='openbsd'", { "sources": ["<@(core_sources_bsd)"] }],
        ["OS=='win'", {
          "sources": ["<@(core_sources_windows)"],
          "defines": ["WIN32_LEAN_AND_MEAN", "NOMINMAX", "_WIN32_WINNT=0x0A00"],
          "libraries": ["-lws2_32", "-liphlpapi"]
        }]
      ]
    }
  ]
}
