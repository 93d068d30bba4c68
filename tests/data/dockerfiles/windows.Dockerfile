# escape=`
FROM mcr.microsoft.com/windows/nanoserver:ltsc2022
SHELL ["powershell", "-command"]
COPY testfile.txt c:\
RUN dir c:\ `
    # a comment inside
    ; echo 'done'
